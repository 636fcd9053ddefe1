// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Accepts digits and blanks only. strtoull(3) would also take a sign, and needs a NUL at the end.
 */
#include "lib/base/number.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define BLANKS " \t\r\n"
/* stdio's buffers are multiples of this many bytes. */
#define STDIO_PIECE 4096

static bool is_blank(char c)
{
	return c && strchr(BLANKS, c);
}

int number_parse(const char *text, size_t size, uint64_t max, uint64_t *ret_number)
{
	const char *end = text + size;
	uint64_t number = 0;

	while (text < end && is_blank(*text))
		text++;
	while (text < end && is_blank(end[-1]))
		end--;
	if (text == end)
		return -EINVAL;
	for (; text < end; text++) {
		unsigned digit = (unsigned char)*text - '0';

		if (digit > 9)
			return -EINVAL;
		if (number > (max - digit) / 10 || max < digit)
			return -ERANGE;
		number = 10 * number + digit;
	}
	*ret_number = number;
	return 0;
}

int number_parse_duration(const char *text, int64_t *ret_seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 60 * 60}, {'d', 24 * 60 * 60}};
	size_t n_digits = strspn(text, "0123456789");
	int64_t unit = text[n_digits] ? 0 : 1;
	uint64_t number = 0;
	int r;

	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (text[n_digits] == units[i].unit && !text[n_digits + 1])
			unit = units[i].seconds;
	if (!unit)
		return -EINVAL;
	r = number_parse(text, n_digits, (uint64_t)(NUMBER_DURATION_MAX / unit), &number);
	*ret_seconds = (int64_t)number * unit;
	return r;
}

static bool is_empty(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!is_blank(text[i]))
			return false;
	return true;
}

bool number_is_cut(const char *text, size_t size)
{
	return size >= STDIO_PIECE && text[size - 1] != '\n';
}

int number_parse_lines(const char *text, size_t size, uint64_t max, uint64_t *ret_sum)
{
	uint64_t sum = 0, number;
	int n = 0;

	if (size > NUMBERS_TEXT_MAX)
		return -EMSGSIZE;
	if (number_is_cut(text, size))
		return -EINVAL;
	for (size_t start = 0, length; start < size; start += length + 1) {
		const char *end = memchr(text + start, '\n', size - start);
		int r;

		length = end ? (size_t)(end - text) - start : size - start;
		if (is_empty(text + start, length))
			continue;
		r = number_parse(text + start, length, max - sum, &number);
		if (r < 0)
			return r;
		sum += number;
		n++;
	}
	*ret_sum = sum;
	return n;
}
