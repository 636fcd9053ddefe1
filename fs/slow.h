/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Calls that take long because a region is large: fallocate, and truncation, which frees its
 * pages.
 *
 * They are made on a worker with a descriptor of their own, and the request is answered
 * afterwards. A signal does not end them: they are as long as the native call is.
 */
#ifndef IPCFS_SLOW_H
#define IPCFS_SLOW_H

#include <fuse_lowlevel.h>

#include "lib/base/workers.h"

struct session;

struct slow {
	struct worker_task job;
	struct session *session;
	fuse_req_t req;
	fuse_ino_t ino;
	struct fuse_file_info fi;
	int fd;                         /* owned */
	int (*call)(struct slow *slow); /* on the worker: 0 or -errno */
	/* On the loop: answers the request. */
	void (*done)(struct slow *slow, int result);
	int mode;
	off_t offset, length;
	int result;
};

/*
 * Has slow_allocate() or slow_truncate() called with a copy of `slow`, which takes over its fd.
 * Answers at once if it can't: -ENOBUFS, -ENOMEM.
 */
void slow_start(const struct slow *slow);

int slow_allocate(struct slow *slow); /* fallocate(fd, mode, offset, length) */
int slow_truncate(struct slow *slow); /* ftruncate(fd, length) */

#endif
