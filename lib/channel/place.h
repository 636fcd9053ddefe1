/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places in open files: where there is room, where there is something to read.
 */
#ifndef IPCFS_CHANNEL_PLACE_H
#define IPCFS_CHANNEL_PLACE_H

#include "lib/channel/channel.h"

/*
 * fallocate(2) of what has a size, lseek(2) of what has a backing file, or is a text that is there;
 * else -ENODEV, -ESPIPE. Both may be a job. Of lseek(2) the kernel asks for SEEK_DATA and SEEK_HOLE
 * alone.
 */
int channel_allocate(struct file *file, int mode, off_t offset, off_t length,
		     struct caller *caller);
int channel_seek(struct file *file, off_t offset, int whence, struct caller *caller,
		 off_t *ret_offset);

#endif
