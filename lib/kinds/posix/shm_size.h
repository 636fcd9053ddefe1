/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sizing a region.
 */
#ifndef IPCFS_SHM_SIZE_H
#define IPCFS_SHM_SIZE_H

#include "lib/channel/kernel_names.h"

/*
 * ftruncate(2) has its right from the open file, truncate(2) from the caller. To cut a region down
 * frees its pages, which takes as long as they are many.
 * A job.
 */
int shm_resize(struct named *named, struct file *file, off_t size, struct caller *caller);

#endif
