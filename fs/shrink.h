/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has the kernel drop all names of the mount that nobody uses, where it can't be asked to drop
 * certain ones (fs/prune.h). It does that on a remount with other options; this one leaves them as
 * they are (linux/fs/super.c, reconfigure_super). Nothing in use is touched, and others lose
 * nothing, because names are looked up again anyway; but it takes a thread some time, and root's
 * rights.
 *
 * FUSE_NOTIFY_INVAL_ENTRY is no alternative: it waits for the directory's lock, and takes the name
 * of a working directory away from the process in it.
 */
#ifndef IPCFS_SHRINK_H
#define IPCFS_SHRINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/workers.h"

struct session;

struct shrink {
	struct worker_task task;
	const struct session *session;
	uint64_t last; /* when the last one began, microseconds */
	bool is_running;
};

/* Has a worker do it soon, for user `uid`, unless it is under way or has just been done. */
void shrink_begin(struct session *session, uid_t uid);

#endif
