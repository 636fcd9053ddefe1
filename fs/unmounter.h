/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auto_unmount: a process that waits for the daemon's death and then takes the dead mount away.
 */
#ifndef IPCFS_UNMOUNTER_H
#define IPCFS_UNMOUNTER_H

#include <sys/types.h>

/* For what is mounted at this path now. -errno */
int unmounter_start(const char *mount_point, pid_t *ret_pid);

/* The daemon ends by itself, and has unmounted. 0: there is none. */
void unmounter_stop(pid_t pid);

#endif
