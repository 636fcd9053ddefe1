/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file with the credentials of the cluster: -o cluster_creds=.
 */
#ifndef IPCFS_CREDS_H
#define IPCFS_CREDS_H

#include <stddef.h>

/*
 * Checks that only the daemon's user and root can read or change the file. If not, writes a text
 * that says why and what to do, and returns -EACCES, or -EINVAL if it is no regular file, or the
 * error of open(2).
 */
int creds_check(const char *path, char *ret_why, size_t size);

#endif
