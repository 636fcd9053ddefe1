/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status of one object as a row, and the text of its values, which is the same in every table.
 */
#ifndef IPCFS_INFO_ROW_H
#define IPCFS_INFO_ROW_H

#include <stdio.h>

#include "lib/channel/channel.h"

/*
 * Fills an empty row with the status of a channel: all that the caller may know of it, beginning
 * with "kind" (a word) and "name" (a text). Fails with -ENOMEM or the -errno of its stat, and the
 * row is empty. How many have a FIFO open is filled in later, by info_users_fill().
 */
int info_row(struct channel *channel, const char *name, struct caller *caller, struct row *row);

/*
 * Returns how full the channel is, from 0 (empty) to 1 (writers wait), by what its status tells of
 * bytes and messages. -1: it has no limit, or it is not known.
 */
double info_fill(const struct row *row);

/*
 * Returns a size for people, as ls -h does: 1023, 1.5K, 64K, 10M, rounded up. The caller frees it.
 * NULL: no memory.
 */
char *info_size_text(uint64_t size);

/* Returns a value as text, quoted if a user chose it. The caller frees it. NULL: no memory. */
char *info_value_text(const struct row_value *value);

/* Prints a line `KEY VALUE` for each value. Fails with -ENOMEM. */
int info_print_row(const struct row *row, FILE *out);

#endif
