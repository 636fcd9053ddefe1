/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing to the regular file behind a channel, in its user's place.
 *
 * A write waits for the lock of the file, and that belongs to the file's users: whoever allocates
 * gigabytes, or frees them, has it for seconds. So it is a job. A read takes no such lock.
 */
#ifndef IPCFS_BACKING_H
#define IPCFS_BACKING_H

#include "lib/channel/channel.h"

/* Where bytes go. The descriptor, or the memory, stays there for as long as the file is open. */
struct backing_place {
	int fd;
	bool is_path;  /* it is O_PATH, and the right to use it is the open file's */
	bool appends;  /* to its end, wherever that is by then */
	bool may_wait; /* else it is done at once */
	char *memory;  /* where the bytes go instead, if it is not NULL */
	off_t offset;  /* in the file */
	size_t size;   /* of the bytes */
};

/* For jobs: open(2) of the file behind an O_PATH descriptor; another one is copied. */
int backing_use(int fd, int flags);

/* For channel_ops::write, with CHANNEL_WRITES_BY_JOB. */
ssize_t backing_write(struct file *file, const struct backing_place *place, const void *data);

#endif
