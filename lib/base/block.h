/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that may be large, and goes back to the system when it is freed.
 */
#ifndef IPCFS_BLOCK_H
#define IPCFS_BLOCK_H

#include <stddef.h>

/* Returns memory that block_free() must free with the same size; NULL if there is none. */
void *block_new(size_t size);
void block_free(void *block, size_t size); /* NULL: does nothing */

#endif
