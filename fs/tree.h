/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A clone of the mount that is attached nowhere. What the daemon opens beneath it leaves the mount
 * itself free to be unmounted, but keeps the filesystem alive. So when the mount has gone,
 * everything that is open there is closed.
 */
#ifndef IPCFS_TREE_H
#define IPCFS_TREE_H

#include <stdint.h>

#include "lib/base/loop.h"
#include "lib/base/workers.h"

struct session;

struct tree {
	struct loop_source mounts; /* /proc/self/mountinfo, which is ready when it changes */
	struct worker_task task;   /* looks for the mount in mountinfo */
	bool is_looking, is_stale;
	char device[32]; /* of the mount, as in mountinfo */
	bool is_mounted; /* what the task last found */
	/* For the thread that opens host_nodes::dir_fd. */
	int tree_fd, dir_fd, result;
	void (*begun)(struct session *session, int result);
};

/*
 * Reserves the descriptors that the clone will need. Call it before mounting. Returns 0 or -errno;
 * without privilege, or on an old kernel, there is nothing to reserve.
 */
int tree_prepare(struct session *session);

/*
 * Clones the mount, if FEATURE_OPEN_TREE is there. Then calls begun() with 0, or with -errno if
 * nothing can be opened beneath the clone. Call it when the mount answers.
 */
void tree_begin(struct session *session, void (*begun)(struct session *session, int result));
/* For the next daemon: takes over the descriptors of the clone. Fails with -errno. */
int tree_adopt(struct session *session, int tree_fd, int dir_fd);
void tree_end(struct session *session);

#endif
