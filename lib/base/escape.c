// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes from 0x80 on stay as they are, so names in UTF-8 stay readable.
 */
#include "lib/base/escape.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_plain(unsigned char c)
{
	return c > ' ' && c != 0x7f && c != '/' && c != '%';
}

/* Whether the name is "." or "..", which already mean something in every directory. */
static bool is_dots(const char *text, size_t size)
{
	return (size == 1 || size == 2) && text[0] == '.' && text[size - 1] == '.';
}

char *escape_name(const char *text, size_t size)
{
	char *name = malloc(3 * size + 1);
	char *end = name;
	bool all = is_dots(text, size);

	for (size_t i = 0; name && i < size; i++) {
		if (is_plain((unsigned char)text[i]) && !all)
			*end++ = text[i];
		else
			end += sprintf(end, "%%%02X", (unsigned char)text[i]);
	}
	if (name)
		*end = '\0';
	return name;
}

int unescape_name(const char *name, char *ret_text, size_t size, size_t *ret_size)
{
	size_t n = 0;

	for (; *name; n++) {
		unsigned byte = (unsigned char)*name;

		if (n == size)
			return -ENOENT;
		if (byte == '%') {
			if (!isxdigit((unsigned char)name[1]) || !isxdigit((unsigned char)name[2]))
				return -ENOENT;
			sscanf(name + 1, "%2x", &byte);
			name += 2;
		}
		name++;
		ret_text[n] = (char)byte;
	}
	*ret_size = n;
	return n ? 0 : -ENOENT;
}
