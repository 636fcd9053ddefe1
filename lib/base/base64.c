// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Four characters carry three bytes. Each text but one is refused for the same bytes: unused bits
 * are zero, and the padding is there.
 */
#include "lib/base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"

/* Returns the six bits that a character stands for, or -1. */
static int bits_of(unsigned char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes four characters, the last `n_padding` of which are padding. Fails with -EINVAL. */
static int decode_group(const char *text, size_t n_padding, char *data)
{
	uint32_t group = 0;

	for (size_t i = 0; i < 4; i++) {
		int bits = i < 4 - n_padding ? bits_of((unsigned char)text[i]) : 0;

		if (bits < 0)
			return -EINVAL;
		group = group << 6 | (uint32_t)bits;
	}
	if (group & ((UINT32_C(1) << (8 * n_padding)) - 1))
		return -EINVAL;
	for (size_t i = 0; i < 3 - n_padding; i++)
		data[i] = (char)(group >> (16 - 8 * i));
	return 0;
}

int base64_decode(const char *text, size_t size, char **ret_data, size_t *ret_size)
{
	CLEANUP_FREE char *data = NULL;
	size_t n_padding = 0, used = 0;

	if (size % 4)
		return -EINVAL;
	while (size && n_padding < 2 && text[size - 1 - n_padding] == '=')
		n_padding++;
	data = malloc(size / 4 * 3 + 1);
	if (!data)
		return -ENOMEM;
	for (size_t i = 0; i < size; i += 4) {
		size_t missing = i + 4 == size ? n_padding : 0;

		if (decode_group(text + i, missing, data + used) < 0)
			return -EINVAL;
		used += 3 - missing;
	}
	data[used] = '\0';
	*ret_data = TAKE_PTR(data);
	*ret_size = used;
	return 0;
}
