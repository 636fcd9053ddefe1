/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auto_unmount: a process that waits for the daemon's death and then unmounts the dead mount.
 */
#ifndef IPCFS_UNMOUNTER_H
#define IPCFS_UNMOUNTER_H

#include <sys/types.h>

/* Starts the process, for the mount that is at this path now. Fails with -errno. */
int unmounter_start(const char *mount_point, pid_t *ret_pid);

/*
 * Stops the process, because the daemon ends by itself, and has unmounted. `pid` 0: there is none.
 */
void unmounter_stop(pid_t pid);

#endif
