// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/base/number.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define BLANKS " \t\r\n"

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
