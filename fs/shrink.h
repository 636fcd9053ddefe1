/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has the kernel drop all names of the mount that nobody uses, for kernels that can't be asked to
 * drop certain names (fs/prune.h). The kernel does that when a remount may change options; this
 * remount changes none (linux/fs/super.c, reconfigure_super). Names in use stay, and other users
 * lose nothing, because names are looked up again anyway. But a remount takes a thread some time,
 * and needs root's rights.
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
	uint64_t last; /* when the last remount began, microseconds */
	bool is_running;
};

/*
 * Has a worker do this soon, for user `uid`, unless a remount is under way or has just been done.
 */
void shrink_begin(struct session *session, uid_t uid);

#endif
