/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which objects of a table are leaked: lib/channel/disuse.h. Each object is asked on the loop. What
 * is then still to be found out is asked once for all of them: how old the processes of the owners
 * are, by a worker, and whether a process has an object open, by the table's scan (info_users.h).
 *
 * Only a caller's own objects are judged; those of others for whoever has CAP_FOWNER.
 */
#ifndef IPCFS_INFO_LEAKS_H
#define IPCFS_INFO_LEAKS_H

#include "lib/channel/channel.h"
#include "lib/host/processes.h"
#include "lib/info/info_users.h"
#include "lib/info/info_walk.h"

/* The users of whom a table asks how old their processes are. The objects of more are in use. */
#define INFO_LEAKS_USERS 1024

struct info_leak;

struct info_leaks {
	bool is_wanted;         /* else nothing is asked, and nothing filled in */
	struct timespec before; /* what anything happened to since then is not leaked */
	struct disuse disuse;   /* of the object that was asked last */

	struct info_leak *found;
	size_t n, n_allocated;
	struct processes_user users[INFO_LEAKS_USERS]; /* by uid */
	size_t n_users;
	size_t n_unjudged; /* objects that were left out because there were too many users */
	struct processes_receivers receivers;
	bool asks_receivers;
	bool has_asked; /* the worker */
};

/* Counts as leaked what has been unused for `idle` seconds, and at least for one. */
void info_leaks_want(struct info_leaks *leaks, time_t idle);

/* Asks one object: leaks->disuse tells. May be a job. */
int info_leaks_ask(struct info_leaks *leaks, struct channel *channel, const char *name,
		   struct caller *reader);

/* Adds the object that was asked last, with the number of its row. -ENOBUFS, -ENOMEM */
int info_leaks_add(struct info_leaks *leaks, struct info_walk *walk, size_t row);

/* Asks the worker, and returns as text_ops::gather does. */
int info_leaks_settle(struct info_leaks *leaks, struct host *host, struct caller *reader);

/*
 * Adds to the row of each leaked object "leaked", which says why, and "idle-since". If the scan or
 * the worker failed, what needed it is not leaked. Runs on any thread.
 */
void info_leaks_fill(struct info_leaks *leaks, const struct info_users *users, struct row *rows);

void info_leaks_fini(struct info_leaks *leaks);

#endif
