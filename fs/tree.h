/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A clone of the mount that is nowhere in the tree. What the daemon opens beneath it leaves the
 * mount itself free to be unmounted, but keeps the filesystem alive; so when the mount has gone,
 * all that is open there is closed.
 */
#ifndef IPCFS_TREE_H
#define IPCFS_TREE_H

#include <stdint.h>

#include "lib/base/loop.h"
#include "lib/base/workers.h"

struct session;

struct tree {
	struct loop_source mounts; /* /proc/self/mountinfo, which polls when it changes */
	struct worker_task task;   /* that looks through it */
	bool is_looking, is_stale;
	char device[32]; /* of the mount, as mountinfo has it */
	bool is_mounted; /* as was seen last */
	/* For the thread that opens what is to be host_nodes::dir_fd. */
	int tree_fd, dir_fd, result;
	void (*begun)(struct session *session, int result);
};

/*
 * Before the mount is there: takes the descriptors that it will need. -errno; without privilege, or
 * on an old kernel, there is nothing to take.
 */
int tree_prepare(struct session *session);

/*
 * The mount answers: clones it, unless there is no such thing here. Then calls begun() with 0, or
 * with why nothing can be opened.
 */
void tree_begin(struct session *session, void (*begun)(struct session *session, int result));
void tree_end(struct session *session);

#endif
