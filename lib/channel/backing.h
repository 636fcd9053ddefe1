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
	bool is_path;  /* it is O_PATH; the right to use it is the open file's */
	bool appends;  /* to its end, wherever that is when the write happens */
	bool may_wait; /* else the write is done at once */
	char *memory;  /* where the bytes go instead, unless NULL */
	off_t offset;  /* in the file */
	size_t size;   /* of the bytes */
};

/* For jobs: opens the file behind an O_PATH descriptor, or duplicates any other descriptor. */
int backing_use(int fd, int flags);

/* For channel_ops::write of kinds with CHANNEL_WRITES_BY_JOB. */
ssize_t backing_write(struct file *file, const struct backing_place *place, const void *data);

#endif
