/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of operations on a System V semaphore set, as text: pairs "NUMBER OPERATION".
 *
 * A list that has to wait sleeps in semop(2), on a thread of its own. So the kernel performs it
 * when its turn comes, and one that is interrupted was either performed as a whole or not at all.
 */
#ifndef IPCFS_SYSV_SEM_LIST_H
#define IPCFS_SYSV_SEM_LIST_H

#include "lib/kinds/sysv/sysv.h"

/* The kernel refuses longer lists too, unless somebody has raised its limit. */
#define SYSV_SEM_LIST_MAX 1024

extern const struct sysv_calls sysv_sem_calls;

/*
 * `list` has room for SYSV_SEM_LIST_MAX operations. Returns their number, which is 0 if there are
 * only blanks. Fails with -EINVAL, -E2BIG or -ENOMEM.
 */
int sysv_sem_list_parse(const char *data, size_t size, struct sembuf *list);

/*
 * Performs the list in `data` as the opener of `file`. Returns 0, or -EAGAIN if it has to wait; for
 * a held write -EINPROGRESS: a job is doing it.
 */
int sysv_sem_list_run(struct sysv *set, struct file *file, const char *data, size_t size);

#endif
