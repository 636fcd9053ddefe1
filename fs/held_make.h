/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MKNOD and CREATE that can't be answered at once, because a process of the caller's is at work
 * (lib/errands.h): when it has ended they are begun anew, and find what it has done.
 */
#ifndef IPCFS_HELD_MAKE_H
#define IPCFS_HELD_MAKE_H

#include <fuse_lowlevel.h>

struct session;

/*
 * Holds the request. `fi` is that of a CREATE, NULL for a MKNOD. Answers at once if it can't:
 * -ENOBUFS, -ENOMEM, -ENOTCONN.
 */
void held_make_new(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		   const struct fuse_file_info *fi);

/* Answers all of them with -ENOTCONN, because the mount ends. */
void held_make_end_all(struct session *session);

#endif
