/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipcfs --status: whether a mount answers, for people, scripts and monitoring.
 */
#ifndef IPCFS_STATUS_H
#define IPCFS_STATUS_H

/* The exit statuses. */
enum status {
	STATUS_OK,          /* it answers */
	STATUS_UNKNOWN,     /* could not be found out; also every other failure of ipcfs */
	STATUS_SILENT,      /* mounted, but hung or dead */
	STATUS_NOT_MOUNTED, /* as for systemctl(1): not running */
};

/*
 * Prints one line about the ipcfs that is mounted at `path`. Takes two seconds at most, whatever
 * became of the mount and of all else on the way to it.
 */
enum status status_print(const char *path);

#endif
