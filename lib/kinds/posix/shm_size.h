/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Setting the size of a region.
 */
#ifndef IPCFS_SHM_SIZE_H
#define IPCFS_SHM_SIZE_H

#include "lib/channel/kernel_names.h"

/*
 * A job: cutting a region down frees its pages, which is slow if there are many. With `file` this
 * is ftruncate(2), allowed by how the file was opened; without, it is truncate(2), allowed by the
 * caller's rights.
 */
int shm_resize(struct named *named, struct file *file, off_t size, struct caller *caller);

#endif
