/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auto_unmount: a process that waits for the death of the processes that serve the mount, and then
 * unmounts the dead mount.
 */
#ifndef IPCFS_UNMOUNTER_H
#define IPCFS_UNMOUNTER_H

#include <sys/types.h>

/*
 * Starts the process, for the mount that is at this path now. With a supervisor (0: none), it waits
 * for the supervisor's death and then for that of the daemon that *daemon names, in shared memory.
 * Fails with -errno.
 */
int unmounter_start(const char *mount_point, pid_t supervisor, const int32_t *daemon,
		    pid_t *ret_pid);

/*
 * Stops the process, because the daemon ends by itself, and has unmounted. `pid` 0: there is none.
 */
void unmounter_stop(pid_t pid);

#endif
