/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places in open files: making room with fallocate(2), finding data with lseek(2).
 */
#ifndef IPCFS_CHANNEL_PLACE_H
#define IPCFS_CHANNEL_PLACE_H

#include "lib/channel/channel.h"

/*
 * fallocate(2) of what has a size, else -ENODEV, or -EOPNOTSUPP for CHANNEL_FILE; lseek(2) of what
 * has a backing file or is a finished text, else -ESPIPE. Both may be a job. The kernel passes on
 * lseek(2) only for SEEK_DATA and SEEK_HOLE.
 */
int channel_allocate(struct file *file, int mode, off_t offset, off_t length,
		     struct caller *caller);
int channel_seek(struct file *file, off_t offset, int whence, struct caller *caller,
		 off_t *ret_offset);

#endif
