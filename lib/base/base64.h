/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Base64 as RFC 4648, section 4, has it: with padding, without line breaks.
 */
#ifndef IPCFS_BASE64_H
#define IPCFS_BASE64_H

#include <stddef.h>

/*
 * Decodes a text, which needs no NUL at its end. The caller frees *ret_data, which has a NUL behind
 * its *ret_size bytes. Fails with -EINVAL if the text is not what an encoder writes, or with
 * -ENOMEM.
 */
int base64_decode(const char *text, size_t size, char **ret_data, size_t *ret_size);

#endif
