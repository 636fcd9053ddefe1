/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that can't be answered at once, because somebody is at work for the caller
 * (lib/host/errands.h): when that has ended they are begun anew, and find what it has done.
 */
#ifndef IPCFS_AGAIN_H
#define IPCFS_AGAIN_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

struct session;

/* What a request asked for, as far as its handler uses it. */
struct again {
	void (*begin)(fuse_req_t req, const struct again *again);
	fuse_ino_t ino;
	const char *name; /* or NULL */
	mode_t mode;
	size_t size;
	off_t offset;
	const struct fuse_file_info *fi; /* or NULL */
};

/*
 * Holds the request, with copies of all of that, until it is to be begun anew. Answers at once if
 * it can't: -ENOBUFS, -ENOMEM, -ENOTCONN.
 */
void again_hold(fuse_req_t req, const struct again *again);

/* Answers all of them with -ENOTCONN, because the mount ends. */
void again_end_all(struct session *session);

#endif
