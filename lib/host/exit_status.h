/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a process has ended, from a pidfd (FEATURE_PIDFD_INFO). The kernel tells anybody who has one.
 */
#ifndef IPCFS_EXIT_STATUS_H
#define IPCFS_EXIT_STATUS_H

/*
 * Gets the status as wait(2) gives it. Fails with -EAGAIN if the process has not been reaped, or if
 * the kernel keeps no status; or with another error if the kernel lacks the call.
 */
int exit_status(int pidfd, int *ret_status);

#endif
