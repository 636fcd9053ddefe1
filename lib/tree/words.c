// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Taking out quotes and escapes never makes a word longer, so each word is written over its own
 * text.
 */
#include "lib/tree/words.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#define BLANKS " \t\r\n"

/* Parses a number of `n` digits. Returns 0 if it is malformed or more than a byte. */
static int take_number(const char *digits, size_t n, int base)
{
	static const char all[] = "0123456789abcdef";
	int value = 0;

	for (size_t i = 0; i < n; i++) {
		const char *found =
			digits[i] ? strchr(all, tolower((unsigned char)digits[i])) : NULL;

		if (!found || found - all >= base)
			return 0;
		value = value * base + (int)(found - all);
	}
	return value <= UCHAR_MAX ? value : 0;
}

/*
 * Returns the byte that the text after a backslash stands for, and the length of that text. Returns
 * 0 if there is no such escape.
 */
static char take_escape(const char *text, size_t *ret_length)
{
	*ret_length = 1;
	if (!isalnum((unsigned char)*text))
		return *text;
	*ret_length = 3;
	return (char)(*text == 'x' ? take_number(text + 1, 2, 16) : take_number(text, 3, 8));
}

/*
 * Takes the word that begins at `in`, in place. Returns what follows the word, or NULL at a fault.
 */
static char *take_word(char *in, const char **ret_fault)
{
	char *out = in, quote = '\0';
	size_t length;

	for (; *in && (quote || !strchr(BLANKS, *in)); in += length) {
		length = 1;
		if (*in == quote) {
			quote = '\0';
		} else if (!quote && (*in == '\'' || *in == '"')) {
			quote = *in;
		} else if (*in != '\\' || quote == '\'') {
			*out++ = *in;
		} else {
			*out = take_escape(in + 1, &length);
			if (!*out++) {
				*ret_fault = "invalid escape (a backslash takes NNN in octal, xNN, "
					     "or a character that is not a letter or digit)";
				return NULL;
			}
			length++;
		}
	}
	if (quote) {
		*ret_fault = "unterminated quote";
		return NULL;
	}
	in += *in ? 1 : 0;
	*out = '\0';
	return in;
}

int words_next(char **text, char **ret_word, const char **ret_fault)
{
	char *word = *text + strspn(*text, BLANKS);

	*ret_word = NULL;
	if (!*word || *word == '#')
		return 0;
	*text = take_word(word, ret_fault);
	if (!*text)
		return -EINVAL;
	*ret_word = word;
	return 0;
}
