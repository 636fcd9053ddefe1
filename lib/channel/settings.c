// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How values are written: numbers in decimal, or in hexadecimal after 0x; sizes with a unit; words
 * as themselves.
 */
#include "lib/channel/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct parameter *parameter_find(const struct parameter *parameters, const char *name)
{
	while (parameters && parameters->name && strcmp(parameters->name, name) != 0)
		parameters++;
	return parameters && parameters->name ? parameters : NULL;
}

/* Returns the shift that a unit stands for, or -1. */
static int unit_shift(const char *unit)
{
	static const char units[] = "KMG";
	const char *found;

	if (!*unit)
		return 0;
	found = unit[1] ? NULL : strchr(units, *unit);
	return found ? 10 * (int)(found - units + 1) : -1;
}

static int parse_word(const struct parameter *parameter, const char *text, uint64_t *ret_value)
{
	for (uint64_t i = 0; parameter->words[i]; i++) {
		if (strcmp(parameter->words[i], text) == 0) {
			*ret_value = i;
			return 0;
		}
	}
	return -EINVAL;
}

int parameter_parse(const struct parameter *parameter, const char *text, uint64_t *ret_value)
{
	unsigned long long value;
	char *unit;
	bool is_hex = strncasecmp(text, "0x", 2) == 0; /* a leading zero is not octal */
	int shift;

	if (parameter->type == PARAMETER_WORD)
		return parse_word(parameter, text, ret_value);
	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &unit, is_hex ? 16 : 10);
	if (errno)
		return -ERANGE;
	shift = parameter->type != PARAMETER_NUMBER ? unit_shift(unit) : *unit ? -1 : 0;
	if (shift < 0)
		return -EINVAL;
	if (value > UINT64_MAX >> shift)
		return -ERANGE;
	value <<= shift;
	if (value < parameter->min || value > parameter->max)
		return -ERANGE;
	if (parameter->type == PARAMETER_AMOUNT && shift && value)
		value |= PARAMETER_IS_SIZE;
	*ret_value = value;
	return 0;
}

static const char *describe(enum parameter_type type)
{
	switch (type) {
	case PARAMETER_SIZE:
		return "not a size (a number, optionally followed by K, M or G)";
	case PARAMETER_NUMBER:
		return "not a number";
	case PARAMETER_AMOUNT:
		return "not a number, nor a size (a number followed by K, M or G)";
	case PARAMETER_TEXT:
		return "the value is missing";
	default:
		return "not one of";
	}
}

void parameter_complain(const struct parameter *parameter, int error, char *ret_text, size_t size)
{
	int n;

	if (error == -ERANGE) {
		snprintf(ret_text, size, "out of range (%llu to %llu)",
			 (unsigned long long)parameter->min, (unsigned long long)parameter->max);
		return;
	}
	n = snprintf(ret_text, size, "%s", describe(parameter->type));
	for (unsigned i = 0; parameter->type == PARAMETER_WORD && parameter->words[i]; i++)
		if ((size_t)n < size)
			n += snprintf(ret_text + n, size - (size_t)n, "%s %s", i ? "," : "",
				      parameter->words[i]);
}
