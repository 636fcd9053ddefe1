/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of which summary, inventory.json, metrics, graph.dot and index.html are made: a row
 * for each object of the machine, and for the last two the processes that have it open. The status
 * of a FIFO is a table of one.
 *
 * Rows are gathered on the loop, one object after another. A worker makes text of them.
 */
#ifndef IPCFS_INFO_ROWS_H
#define IPCFS_INFO_ROWS_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/channel/row.h"
#include "lib/info/info_leaks.h"
#include "lib/info/info_users.h"
#include "lib/info/info_walk.h"

/* A number that has a column in summary and a family in metrics. */
struct info_column {
	const char *key, *title;
	const char *brief;  /* the title where a line has to be short */
	const char *family; /* the metric, with its unit in the name */
	const char *help;   /* what it means, in metrics */
	bool is_bytes;
};

/* Ends with a key of NULL. */
extern const struct info_column info_columns[];

struct account_names;

struct info_rows {
	struct row *rows;
	size_t n, n_allocated;
	struct info_walk walk;
	bool is_walked;        /* all objects are there */
	struct space **strays; /* of host::spaces, whose stray files come next */
	int error;             /* of a row that could not be added */
	struct info_users users;
	struct info_leaks leaks;
	bool has_leaks_alone; /* objects that are in use have no row */
	struct channel *only; /* of a table of one, a reference; NULL: the table has all objects */
	char *only_name;
	struct row link; /* what there is to say of the connection to the cluster; or empty */
	struct account_names *names; /* of owners and groups, from info_names_gather(); or NULL */
	size_t n_named;
	int64_t patience, asked; /* for locks, ns: what is left, and since when it runs, or 0 */
};

/* Makes a table of one. Takes over the reference to the channel, also when it fails: -ENOMEM. */
int info_rows_of_one(struct channel *channel, const char *name, const struct caller *reader,
		     struct info_rows **ret_rows);

/*
 * Makes a table of what is leaked in a space (NULL: in all), that is, unused for `idle` seconds.
 * When it is complete, the rows that have no "leaked" are to be left out. NULL: no memory.
 */
struct info_rows *info_rows_of_leaks(struct host *host, const struct caller *reader,
				     const struct space *only, time_t idle);

/* Called first in print(): fills in what the scan has found. */
void info_rows_complete(struct info_rows *rows);

/*
 * Sorts the rows of each kind by name, numbers in a name by their value. After this, the users and
 * the leaks do not know their rows any more.
 */
void info_rows_sort(struct info_rows *rows);

/* For struct text_ops: `data` is the host, and prepare() gives a struct info_rows. */
int info_rows_prepare(void *data, struct caller *reader, void **ret_rows);
/* The same for a table that shows processes: info_users_found() has them for all objects. */
int info_rows_prepare_with_users(void *data, struct caller *reader, void **ret_rows);
int info_rows_gather(void *rows, struct caller *reader);
void info_rows_discard(void *rows);
void info_rows_finish(void *rows);

#endif
