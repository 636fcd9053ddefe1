/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An open file as the kernel knows it: by a number, the `fh` of its requests.
 *
 * The kernel keeps the inode for as long as the handle is open. It reports the end of both, by
 * RELEASE and FORGET.
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

/* The part of a handle that has no pointers, and would be valid in another process, too. */
struct handle_record {
	fuse_ino_t nodeid; /* of its inode */
	uint64_t file;     /* its open file, in host::files */
	uint64_t opened;   /* the request that opened it */
	uint64_t poll;     /* the kernel's number of the newest poll handle */
	struct long_read long_read;
	bool is_polled; /* it has to be told when the file may be ready */
	bool is_backed; /* counted in inode_record::n_backed */
};

struct handle {
	uint64_t fh;                  /* its id in session::handles */
	struct handle_record *record; /* there */
	struct file *file;            /* owned */
	struct inode *inode;
	struct fuse_pollhandle *poll; /* the newest, owned; or NULL */
};

/* Returns the handle of an `fh` that the kernel sent; NULL: there is none, or no longer. */
struct handle *handle_from(const struct session *session, uint64_t fh);

/* Opens the inode's object for the caller. Fails with -ENOMEM, or as channel_open() does. */
int handle_new(fuse_req_t req, struct inode *inode, int flags, struct caller *caller,
	       struct handle **ret_handle);

/*
 * Closes the handle. With `req` NULL it does not unregister the inode's backing file: the kernel
 * has forgotten that, or the whole mount.
 */
void handle_free(fuse_req_t req, struct session *session, struct handle *handle);

/*
 * For the next daemon: takes over the handles, once the objects and inodes are there, and tells
 * those that are polled to look again. Fails if one can't be made that takeover_may_lose() keeps.
 */
int handles_adopt(struct session *session);

/* Closes all handles that the kernel has left open. Call it when the mount no longer answers. */
void handle_free_all(struct session *session);

/*
 * Has the kernel move the file's bytes, by inode_record::backing_id. Returns false if it can't, or
 * if there is no backing file.
 */
bool handle_back(fuse_req_t req, struct handle *handle);

/*
 * Tells the kernel how long the opened text is, if the kernel would otherwise use a smaller size:
 * splice(2) and mappings don't ask for the size. Call it before answering the open.
 */
void handle_tell_size(const struct session *session, struct handle *handle);

/*
 * Notifies `poll` once when the file may be ready. Takes ownership of `poll`, which replaces the
 * former one. `number` is the kernel's number of it.
 */
void handle_watch(struct handle *handle, struct fuse_pollhandle *poll, uint64_t number);

#endif
