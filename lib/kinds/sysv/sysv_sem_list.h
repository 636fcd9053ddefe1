/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of operations on a System V semaphore set, as text: pairs "NUMBER OPERATION".
 *
 * A list that has to wait sleeps in semop(2), on a thread of its own: so the kernel does it when
 * its turn comes, and ends it exactly where it is interrupted.
 */
#ifndef IPCFS_SYSV_SEM_LIST_H
#define IPCFS_SYSV_SEM_LIST_H

#include "lib/kinds/sysv/sysv.h"

/* More than this the kernel refuses too, unless somebody has raised its limit. */
#define SYSV_SEM_LIST_MAX 1024

extern const struct sysv_calls sysv_sem_calls;

/*
 * `list` has room for SYSV_SEM_LIST_MAX. Returns their number, of blanks 0; -EINVAL, -E2BIG,
 * -ENOMEM.
 */
int sysv_sem_list_parse(const char *data, size_t size, struct sembuf *list);

/*
 * Does the list in `data`, as who opened `file`: 0; -EAGAIN, and for a held write -EINPROGRESS: a
 * job is at it.
 */
int sysv_sem_list_run(struct sysv *set, struct file *file, const char *data, size_t size);

#endif
