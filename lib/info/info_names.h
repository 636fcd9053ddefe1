/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owners and groups by name, for the tables that people read.
 */
#ifndef IPCFS_INFO_NAMES_H
#define IPCFS_INFO_NAMES_H

#include "lib/info/info_rows.h"

/* As info_rows_gather(), for struct text_ops, and then finds the names. */
int info_names_gather(void *rows, struct caller *reader);

/*
 * Returns the name of the row's "owner" or "group" as one word, or the number if no name is known.
 * The caller frees it. NULL: no memory.
 */
char *info_names_text(const struct info_rows *rows, const struct row *row, const char *key);
/* The same as a label in OpenMetrics, between its double quotes. */
char *info_names_label(const struct info_rows *rows, const struct row *row, const char *key);

#endif
