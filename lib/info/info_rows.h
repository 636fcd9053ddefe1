/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What summary, inventory.json and metrics are made of: a row for each object of the machine.
 *
 * Objects are looked up on the loop (info_rows_prepare); a worker makes the text of the rows.
 */
#ifndef IPCFS_INFO_ROWS_H
#define IPCFS_INFO_ROWS_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/channel/row.h"
#include "lib/host/caller.h"
#include "lib/host/host.h"

/* A number that has a column in summary and a family in metrics. */
struct info_column {
	const char *key, *title;
	const char *family; /* the metric, with its unit in the name */
	int width;
	bool is_bytes;
};

/* Ends with a key of NULL. */
extern const struct info_column info_columns[];

struct info_rows {
	struct row *rows;
	size_t n, n_allocated;
	struct user_table *users;
	uid_t uid; /* of the reader, who is charged for the rows */
	size_t n_charged;
};

/* For struct text_ops; data is the host, and what is prepared a struct info_rows. */
int info_rows_prepare(void *data, struct caller *reader, void **ret_rows);
void info_rows_free(void *data);

#endif
