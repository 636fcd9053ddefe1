/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes to the regular file behind a channel, on behalf of its user.
 *
 * A write waits for the lock of that file, which the file's users hold: a user who allocates or
 * frees gigabytes holds it for seconds. So a write is a job. A read takes no such lock.
 */
#ifndef IPCFS_BACKING_H
#define IPCFS_BACKING_H

#include "lib/channel/channel.h"

/* Where bytes go. The descriptor, or the memory, stays valid for as long as the file is open. */
struct backing_place {
	int fd;
	bool is_path;  /* `fd` is O_PATH; the open file has the right to use it */
	bool appends;  /* to the file's end, wherever that is when the write happens */
	bool may_wait; /* false: the write is done at once */
	char *memory;  /* the mapping that the bytes go to instead of `fd`, or NULL */
	off_t offset;  /* in the file */
	size_t size;   /* how many bytes there are */
};

/* For jobs: opens the file behind an O_PATH descriptor, or duplicates any other descriptor. */
int backing_use(int fd, int flags);

/* Writes `data`, for channel_ops::write of kinds with CHANNEL_WRITES_BY_JOB. */
ssize_t backing_write(struct file *file, const struct backing_place *place, const void *data);

#endif
