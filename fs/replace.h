/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipcfs --replace: has the executable that is installed go on with a mount, which no client
 * notices.
 */
#ifndef IPCFS_REPLACE_H
#define IPCFS_REPLACE_H

/*
 * Asks the supervisor of the ipcfs that is mounted at `path`, and waits for what becomes of it.
 * Prints one line; returns the exit status.
 */
int replace(const char *path);

#endif
