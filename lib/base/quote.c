// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * UTF-8 is checked here, byte by byte: the result does not depend on the daemon's locale.
 */
#include "lib/base/quote.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"

/* The most bytes that one byte becomes: \\xNN, &amp; */
#define QUOTED_MAX 5

/* Returns the length of the UTF-8 sequence at `text`, or 0 if none is well formed there. */
static size_t utf8_length(const unsigned char *text)
{
	unsigned char first = text[0];
	size_t n = first < 0x80    ? 1
		   : first < 0xc2  ? 0
		   : first < 0xe0  ? 2
		   : first < 0xf0  ? 3
		   : first <= 0xf4 ? 4
				   : 0;

	for (size_t i = 1; i < n; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, and code points beyond U+10FFFF. */
	if ((first == 0xe0 && text[1] < 0xa0) || (first == 0xed && text[1] > 0x9f) ||
	    (first == 0xf0 && text[1] < 0x90) || (first == 0xf4 && text[1] > 0x8f))
		return 0;
	return n;
}

/* Whether the sequence is a command to a terminal, ends a line, or reorders what is shown. */
static bool is_control(const unsigned char *text)
{
	if (text[0] < ' ' || text[0] == 0x7f || (text[0] == 0xc2 && text[1] < 0xa0))
		return true;
	if (text[0] != 0xe2)
		return false;
	return (text[1] == 0x80 && text[2] >= 0xa8 && text[2] <= 0xae) || /* U+2028 to 202E */
	       (text[1] == 0x81 && text[2] >= 0xa6 && text[2] <= 0xa9);   /* U+2066 to 2069 */
}

/* Whether the text would be taken for one of our own escapes. */
static bool is_escape(const char *text)
{
	return text[0] == '\\' && text[1] == 'x';
}

/*
 * Quotes `text`, with a backslash before each character of `special`. With `has_entities`, an
 * ampersand becomes &amp;.
 */
static char *quote(const char *text, const char *special, bool has_entities)
{
	const char *lead = strchr(special, '\\') ? "\\\\" : "\\";
	char *quoted = malloc(QUOTED_MAX * strlen(text) + 1);
	char *end = quoted;

	while (quoted && *text) {
		const unsigned char *bytes = (const unsigned char *)text;
		size_t n = utf8_length(bytes);

		if (n == 0 || is_control(bytes) || is_escape(text)) {
			end += sprintf(end, "%sx%02x", lead, bytes[0]);
			text++;
			continue;
		}
		if (has_entities && *text == '&') {
			end = stpcpy(end, "&amp;");
			text++;
			continue;
		}
		if (strchr(special, *text))
			*end++ = '\\';
		end = mempcpy(end, text, n);
		text += n;
	}
	if (quoted)
		*end = '\0';
	return quoted;
}

char *quote_text(const char *text)
{
	return quote(text, "", false);
}

char *quote_string(const char *text)
{
	return quote(text, "\"\\", false);
}

char *quote_label(const char *text)
{
	return quote(text, "\"\\", true);
}

char *quote_word(const char *text)
{
	CLEANUP_FREE char *quoted = quote_text(text);
	char *word = quoted ? malloc(4 * strlen(quoted) + 1) : NULL;
	char *end = word;

	for (const char *rest = quoted; word && *rest; rest++) {
		if (*rest == ' ')
			end = stpcpy(end, "\\x20");
		else
			*end++ = *rest;
	}
	if (word)
		*end = '\0';
	return word;
}
