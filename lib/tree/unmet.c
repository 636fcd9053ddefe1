// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The comparison goes by the object's status, so it tells a caller no more than info/ does.
 */
#include "lib/tree/unmet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/channel/channel.h"

unsigned unmet_fixed(const struct parameter *parameters)
{
	unsigned which = 0;

	for (unsigned i = 0; parameters && parameters[i].name; i++)
		if (parameters[i].is_fixed || parameters[i].is_initial)
			which |= 1U << i;
	return which;
}

unsigned unmet_passing(const struct parameter *parameters)
{
	unsigned which = 0;

	for (unsigned i = 0; parameters && parameters[i].name; i++)
		if (parameters[i].is_passing)
			which |= 1U << i;
	return which;
}

/*
 * Returns what the object's status says about a parameter, or NULL if it says nothing to this
 * caller.
 */
static const struct row_value *told(const struct row *row, const struct parameter *parameter)
{
	return row_find(row, parameter->told_as ? parameter->told_as : parameter->name);
}

/* Whether the value is what the line asks for. Numbers are compared as numbers: 1K is 1024. */
static bool is_met(const struct line *line, unsigned i, const struct row_value *value)
{
	const struct parameter *parameter = &line->space->kind->parameters[i];
	uint64_t asked = line->settings.values[i];

	switch (value->type) {
	case ROW_SIGNED:
		return value->signed_number >= 0 && (uint64_t)value->signed_number == asked;
	case ROW_NUMBER:
	case ROW_BYTES:
		return value->number == asked;
	case ROW_WORD:
		return strcmp(value->word, parameter->words[asked]) == 0;
	case ROW_TEXT:
		return parameter->is_same ? parameter->is_same(line->settings.texts[i], value->text)
					  : strcmp(line->settings.texts[i], value->text) == 0;
	default:
		return true;
	}
}

static void print_value(FILE *out, const struct row_value *value)
{
	switch (value->type) {
	case ROW_SIGNED:
		fprintf(out, "%lld", (long long)value->signed_number);
		break;
	case ROW_WORD:
		fputs(value->word, out);
		break;
	case ROW_TEXT:
		fprintf(out, "%.64s", value->text);
		break;
	default:
		fprintf(out, "%llu", (unsigned long long)value->number);
	}
}

/* Returns the settings among `which` that the row disagrees with. */
static unsigned find_unmet(const struct line *line, unsigned which, const struct row *row)
{
	const struct parameter *parameters = line->space->kind->parameters;

	for (unsigned i = 0; parameters && parameters[i].name; i++) {
		const struct row_value *value = told(row, &parameters[i]);

		if (!value || ((which & (1U << i)) && is_met(line, i, value)))
			which &= ~(1U << i);
	}
	return which;
}

static int print(const struct line *line, unsigned which, const struct row *row, char **ret_text)
{
	const struct parameter *parameters = line->space->kind->parameters;
	size_t size;
	FILE *out = open_memstream(ret_text, &size);

	if (!out)
		return -ENOMEM;
	fputs("with", out);
	for (unsigned i = 0; which >> i; i++) {
		if (!(which & (1U << i)))
			continue;
		fprintf(out, " %s=", parameters[i].name);
		print_value(out, told(row, &parameters[i]));
	}
	fputs(", not", out);
	for (unsigned i = 0; which >> i; i++)
		if (which & (1U << i))
			fprintf(out, " %s=%.64s", parameters[i].name, line->settings.texts[i]);
	if (fclose(out) == 0)
		return 0;
	free(TAKE_PTR(*ret_text));
	return -ENOMEM;
}

/*
 * Finds the channel whose status counts. A server's directory is a space, not a channel; info/ has
 * the server itself in its place.
 */
static int find_channel(const struct line *line, const struct entry *entry, struct caller *caller,
			struct entry *ret_found)
{
	if (!entry->channel)
		return space_find(space_shown(line->space), line->name, caller, ret_found);
	*ret_found = (struct entry){.channel = channel_ref(entry->channel)};
	return 0;
}

int unmet_tell(const struct line *line, const struct entry *entry, unsigned which,
	       struct caller *caller, char **ret_text)
{
	struct row row = {.has_no_measure = true};
	struct entry found = {0};
	int r;

	*ret_text = NULL;
	if (!which)
		return 0;
	r = find_channel(line, entry, caller, &found);
	if (r < 0)
		return r;
	if (found.channel)
		channel_status(found.channel, caller, &row);
	entry_unref(&found);
	r = row.error;
	which = find_unmet(line, which, &row);
	if (r == 0 && which)
		r = print(line, which, &row, ret_text);
	row_fini(&row);
	return r;
}
