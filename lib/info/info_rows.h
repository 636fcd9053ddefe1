/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What summary, inventory.json and metrics are made of: a row for each object of the machine.
 *
 * They are gathered on the loop, one object after the other; a worker makes the text of them.
 */
#ifndef IPCFS_INFO_ROWS_H
#define IPCFS_INFO_ROWS_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/channel/row.h"
#include "lib/info/info_walk.h"

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
	struct info_walk walk;
};

/* For struct text_ops; data is the host, and what is prepared a struct info_rows. */
int info_rows_prepare(void *data, struct caller *reader, void **ret_rows);
int info_rows_gather(void *rows, struct caller *reader);
void info_rows_discard(void *rows);
void info_rows_finish(void *rows);

#endif
