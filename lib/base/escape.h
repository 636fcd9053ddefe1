/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File names for what may have any bytes in it, as URLs have them: slashes, percent signs, blanks
 * and what can't be printed are %XX, and so are the names "." and "..".
 */
#ifndef IPCFS_ESCAPE_H
#define IPCFS_ESCAPE_H

#include <stddef.h>

/* The caller frees it. NULL: no memory. */
char *escape_name(const char *text, size_t size);

/* The reverse. -ENOENT: not of that form, empty, or longer than `size` bytes. */
int unescape_name(const char *name, char *ret_text, size_t size, size_t *ret_size);

#endif
