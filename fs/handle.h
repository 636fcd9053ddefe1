/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An open file as the kernel knows it: by a number, the `fh` of its requests.
 *
 * The kernel keeps the inode for as long as the handle is open, and tells of the end of both.
 */
#ifndef IPCFS_HANDLE_H
#define IPCFS_HANDLE_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

#include "fs/long_read.h"

struct caller;
struct file;
struct inode;
struct session;

/* What a handle is, in what would mean the same to another process. */
struct handle_record {
	uint64_t fh;       /* its id in session::handles */
	fuse_ino_t nodeid; /* of its inode */
	bool is_backed;    /* counted in inode_record::n_backed */
};

struct handle {
	struct handle_record *record; /* in session::handles */
	struct file *file;            /* owned */
	struct inode *inode;
	struct fuse_pollhandle *poll; /* the newest, owned; or NULL */
	struct long_read long_read;
};

/* Of an `fh` that the kernel sends. NULL: it is none, or no longer. */
struct handle *handle_from(const struct session *session, uint64_t fh);

/* Opens the inode's object for the caller. -ENOMEM; -errno of channel_open(). */
int handle_new(fuse_req_t req, struct inode *inode, int flags, struct caller *caller,
	       struct handle **ret_handle);

/* Closes it. `req` NULL: the kernel has forgotten the inode's descriptor, or all of the mount. */
void handle_free(fuse_req_t req, struct session *session, struct handle *handle);

/* Closes all that the kernel has left open, once the mount answers no more. */
void handle_free_all(struct session *session);

/*
 * Has the kernel move the file's bytes, by inode_record::backing_id. False: it can't, or there is
 * nothing that it could have.
 */
bool handle_back(fuse_req_t req, struct handle *handle);

/*
 * Tells the kernel how long the text is that has been opened, where it would go by less: splice(2)
 * and maps don't ask. Before the open is answered.
 */
void handle_tell_size(const struct session *session, struct handle *handle);

/* Tells `poll`, which is taken over, when the file may be ready; replaces the one before it. */
void handle_watch(struct handle *handle, struct fuse_pollhandle *poll);

#endif
