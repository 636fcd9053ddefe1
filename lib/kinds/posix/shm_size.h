/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sizing a region, and what writing to one takes away.
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

/*
 * The kernel does not clear the set-id bits of what it writes to in our place, because it does so
 * with our rights: so they go before the first write, when the file is opened. May be a job.
 * shm_has_dropped_bits(): that job is done, and this was its result. Whatever the bits are by then,
 * it is not begun again: who opens the file would never have done with an owner who sets them.
 */
int shm_drop_bits(struct named *named, struct file *file, struct caller *caller);
bool shm_has_dropped_bits(struct caller *caller, int *ret_result);

#endif
