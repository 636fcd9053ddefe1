/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Held requests: reads, writes, opens and locks that block, each answered exactly once.
 *
 * A request is answered when its channel can serve it, when its caller is signalled (-EINTR, or the
 * count if bytes have moved), or when the mount ends.
 */
#ifndef IPCFS_REQUEST_H
#define IPCFS_REQUEST_H

#include <fuse_lowlevel.h>

#include "fs/long_read.h"
#include "lib/channel/channel.h"

struct handle;
struct lock;
struct session;

/*
 * Holds a read for which long_read_begin() was called. If that fails, answers at once with
 * -ENOBUFS, -ENOMEM or -ENOTCONN.
 */
void request_hold_read(fuse_req_t req, struct handle *handle, const struct read_request *read);

/* The data of a write, of which `done` bytes have been accepted. */
struct request_data {
	const char *data;
	size_t size, done;
	off_t offset; /* of the first byte */
};

/* Holds the write of the request that has just come. The rest of its data is kept, or copied. */
void request_hold_write(fuse_req_t req, struct file *file, const struct request_data *data);

/*
 * Answers an OPEN that has waited, with the file or with the error. After an error it closes the
 * file. Returns false if the kernel no longer wanted the answer.
 */
typedef bool request_opened_fn(fuse_req_t req, const struct fuse_file_info *fi, int result);

/* Holds an OPEN until channel_opened() gives its result. Of `fi` it keeps only fh. */
void request_hold_open(fuse_req_t req, struct file *file, const struct fuse_file_info *fi,
		       request_opened_fn *opened);

/* Holds a request for a lock until no other lock is in its way. Copies `lock`. */
void request_hold_lock(fuse_req_t req, struct file *file, const struct lock *lock);

/*
 * Answers all held requests when the mount ends: with -ENOTCONN, or the count if bytes have moved.
 */
void request_end_all(struct session *session);

#endif
