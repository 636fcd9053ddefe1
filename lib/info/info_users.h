/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes that have the objects of a table open, found in /proc by one scan for all of them.
 *
 * Every table needs them for its FIFOs: the daemon does not learn of processes that open one, so
 * the scan counts readers and writers, and only if somebody can have a FIFO open at all. What the
 * scan does not find out is left out, and no number stands in for it. A table that shows processes
 * has all of its objects looked for.
 */
#ifndef IPCFS_INFO_USERS_H
#define IPCFS_INFO_USERS_H

#include "lib/info/info_walk.h"
#include "lib/info/scanner.h"

/* What was looked for, at the index that peer::target has. */
struct info_used {
	size_t row;      /* its number in the table */
	bool is_counted; /* a FIFO, whose readers and writers go into the row */
};

struct info_users {
	struct peer_target *targets;
	struct info_used *used;
	size_t n, n_allocated;
	struct scan *scan; /* once all targets are there */
	bool is_for_all;   /* set before the first object is added */
	int error;         /* with which the scan has failed */
	/* The target of the object that is being added, which may have to wait. */
	struct peer_target target;
	bool has_target;
};

bool info_is_fifo(const struct channel *channel);

/*
 * Called before the row is made: finds out how to look for the object, if it will be looked for, as
 * it is in any case if `is_wanted`. Fails as info_target() does; may be a job.
 */
int info_users_aim(struct info_users *users, struct channel *channel, bool is_wanted,
		   struct caller *reader);

/* Adds the object of row number `row`, if it will be looked for. Fails with -ENOBUFS or -ENOMEM. */
int info_users_add(struct info_users *users, struct info_walk *walk, struct channel *channel,
		   size_t row, bool is_wanted);

/* Runs the scan, and returns as text_ops::gather does. A scan that fails is not an error. */
int info_users_look(struct info_users *users, struct scanner *scanner, struct caller *reader);

/* Returns what was found; nothing, if the scan failed. Runs on any thread. */
struct peers info_users_found(const struct info_users *users);

/* Whether the scan has seen all processes of the machine. */
bool info_users_are_all(const struct info_users *users);

/*
 * Puts what was found into the rows of the FIFOs, whose readers and writers are 0 so far. If the
 * scan failed, each of these loses both numbers. If it could not look at some processes, a brief
 * row loses them, and any other says how many such processes there are. Runs on any thread.
 */
void info_users_fill(const struct info_users *users, struct row *rows);

void info_users_fini(struct info_users *users);

#endif
