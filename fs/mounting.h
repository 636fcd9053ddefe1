/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has libfuse mount, and says in the words of ipcfs why that failed.
 */
#ifndef IPCFS_MOUNTING_H
#define IPCFS_MOUNTING_H

struct fuse_session;
struct options;
struct session;

/* Returns the mounted session, or NULL after a line in the log. */
struct fuse_session *mounting_mount(struct session *session, const struct options *options);

#endif
