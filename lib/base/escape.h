/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * File names for arbitrary bytes, escaped as in URLs: slashes, percent signs, blanks and control
 * characters become %XX, and so do the names "." and "..".
 */
#ifndef IPCFS_ESCAPE_H
#define IPCFS_ESCAPE_H

#include <stddef.h>

/* Returns the escaped name, which the caller frees, or NULL if there is no memory. */
char *escape_name(const char *text, size_t size);

/*
 * Undoes escape_name(). Fails with -ENOENT if `name` is malformed or empty, or if the text is
 * longer than `size` bytes.
 */
int unescape_name(const char *name, char *ret_text, size_t size, size_t *ret_size);

#endif
