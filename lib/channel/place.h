/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places in open files: making room with fallocate(2), finding data with lseek(2).
 */
#ifndef IPCFS_CHANNEL_PLACE_H
#define IPCFS_CHANNEL_PLACE_H

#include "lib/channel/channel.h"

/*
 * As fallocate(2), for a channel that has a size. For another channel fails with -ENODEV, or with
 * -EOPNOTSUPP if it is a CHANNEL_FILE. May be a job.
 */
int channel_allocate(struct file *file, int mode, off_t offset, off_t length,
		     struct caller *caller);
/*
 * As lseek(2), for a channel that has a backing file, or a finished text. Fails with -ESPIPE for
 * any other channel. May be a job. The kernel passes on lseek(2) only for SEEK_DATA and SEEK_HOLE.
 */
int channel_seek(struct file *file, off_t offset, int whence, struct caller *caller,
		 off_t *ret_offset);

#endif
