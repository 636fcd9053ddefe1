/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What outlives the daemon of a region that is open: its descriptor. What the kernel has been told
 * of it stays with the mount, and so do mappings.
 */
#ifndef IPCFS_SHM_RECORD_H
#define IPCFS_SHM_RECORD_H

#include "lib/channel/kernel_names.h"

/* For struct channel_ops. */
void shm_save(struct channel *channel, struct object_record *record);
int shm_adopt_file(struct file *file);

/* For channel_ops::adopt: makes the channel and gives it the descriptor. */
int shm_adopt_region(struct space *space, struct object_record *record,
		     struct channel **ret_channel);

#endif
