/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status of one object as a row, and the text of its values, which is the same in every table.
 */
#ifndef IPCFS_INFO_ROW_H
#define IPCFS_INFO_ROW_H

#include <stdio.h>

#include "lib/channel/channel.h"

/*
 * Fills an empty row with the status of a channel: all that the caller may know of it, first of all
 * "kind" (a word) and "name" (a text). -ENOMEM, or -errno of its stat: the row is empty. Who has a
 * FIFO open it does not know: info_fifos_fill().
 */
int info_row(struct channel *channel, const char *name, struct caller *caller, struct row *row);

/* A value as text, quoted where a user chose it. The caller frees it. NULL: no memory. */
char *info_value_text(const struct row_value *value);

/* Prints a line `KEY VALUE` for each value. -ENOMEM */
int info_print_row(const struct row *row, FILE *out);

#endif
