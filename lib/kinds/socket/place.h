/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory in which a socket file is made.
 */
#ifndef IPCFS_PLACE_H
#define IPCFS_PLACE_H

/*
 * Opens the directory of an absolute path under the thread's present identity, and points *ret_name
 * at the name behind it. Returns an O_PATH descriptor. -EPERM: for the caller that the thread has
 * entered the path leads elsewhere; -EROFS: for that caller it is read-only.
 */
int place_open(const char *path, const char **ret_name);

#endif
