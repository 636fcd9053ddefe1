/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory in which a socket is made.
 */
#ifndef IPCFS_PLACE_H
#define IPCFS_PLACE_H

/*
 * Opens the directory of an absolute path, as whoever the thread is at present, and says which name
 * stands behind it. An O_PATH descriptor. -EPERM: to the caller that the thread has entered the
 * path leads elsewhere; -EROFS: that caller may not write there.
 */
int place_open(const char *path, const char **ret_name);

#endif
