/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The users and groups of this machine, by name and by number, for entries that name them.
 *
 * The loop never waits for a name service. The local files are read at once; what is not in them is
 * asked for on a thread, and remembered. An account without a name is named by its number in
 * decimal. Such a name stands for that number on another machine only if the number has no name
 * there: numbers mean something on one machine alone.
 */
#ifndef IPCFS_ACCOUNTS_H
#define IPCFS_ACCOUNTS_H

#include <stdint.h>

#include "lib/host/account.h"

struct accounts;
struct accounts_lookup;

#define ACCOUNTS_NAME_SIZE 64 /* as in struct cluster_entry */
/*
 * Whom an unknown name stands for: a number that no account has. 65534, as the kernel shows whom it
 * does not know, is that of nobody, who would then have the rights of all these owners.
 */
#define ACCOUNTS_UNKNOWN 4294967293U

/*
 * `answered`: a task that is deferred whenever a name was asked for on a thread and is known now;
 * or NULL. Fails with -ENOMEM.
 */
int accounts_new(struct host *host, struct loop_task *answered, struct accounts **ret_accounts);
/* Questions that are still asked are forgotten: named() is not called. NULL: does nothing. */
void accounts_free(struct accounts *accounts);

/*
 * Returns the number of the user or group with this name, as far as it is known now, or
 * ACCOUNTS_UNKNOWN. If it is not known, or was asked long ago, it is asked for, so a later call
 * gives the answer. "root" is 0.
 */
uint32_t accounts_id(struct accounts *accounts, enum account_sort sort, const char *name);

/*
 * Until when it is worth waiting for a name that is asked for the first time, as clock_now(); 0: it
 * is not.
 */
int64_t accounts_await(struct accounts *accounts, enum account_sort sort, const char *name);

/* A question for the names of a user and a group, part of its owner's memory. */
struct accounts_ask {
	/*
	 * The names are there (0); or `error`: -EIO a name service fails, -ENAMETOOLONG, -ENOBUFS
	 * there are no threads, or -ENOMEM.
	 */
	void (*named)(struct accounts_ask *ask, int error);
	char owner[ACCOUNTS_NAME_SIZE], group[ACCOUNTS_NAME_SIZE];
	/* From here on accounts.c's own. */
	struct accounts_lookup *lookup; /* NULL: nothing is asked */
};

/*
 * Returns 0 if the names could be filled in at once, which is usual: named() is not called then. Or
 * returns -EINPROGRESS: named() follows, on the loop, unless accounts_forget() is called. Or fails
 * with an error as above.
 */
int accounts_ask(struct accounts *accounts, struct accounts_ask *ask, uid_t uid, gid_t gid);
void accounts_forget(struct accounts_ask *ask); /* does nothing if it is not asked */

#endif
