// SPDX-License-Identifier: GPL-2.0-or-later
/* Answers that libfuse has no call for are built here, and sent by fuse_reply_buf(). */
#include "fs/reply.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdlib.h>

#define STREAM_FLAGS (FOPEN_DIRECT_IO | FOPEN_STREAM)

bool reply_result(fuse_req_t req, int result)
{
	return fuse_reply_err(req, -result) == 0;
}

bool reply_written(fuse_req_t req, ssize_t result)
{
	if (result < 0)
		return reply_result(req, (int)result);
	return fuse_reply_write(req, (size_t)result) == 0;
}

bool reply_data(fuse_req_t req, const void *data, ssize_t result)
{
	if (result < 0)
		return reply_result(req, (int)result);
	return fuse_reply_buf(req, data, (size_t)result) == 0;
}

bool reply_pieces(fuse_req_t req, const struct pieces *pieces, ssize_t result)
{
	void *volatile list; /* volatile, or the compiler drops the malloc() */

	if (result <= 0 || pieces->n == 1)
		return reply_data(req, result > 0 ? pieces->iov[0].iov_base : NULL, result);
	/*
	 * libfuse allocates a list that is one longer. If it can't, it answers the reader with the
	 * error, but reports success to us. So the same memory is allocated and freed here first:
	 * then libfuse will find it.
	 */
	list = malloc(((size_t)pieces->n + 1) * sizeof(pieces->iov[0]));
	if (!list) {
		reply_result(req, -ENOMEM);
		return false;
	}
	free(list);
	return fuse_reply_iov(req, pieces->iov, pieces->n) == 0;
}

bool reply_attr(fuse_req_t req, const struct stat *attr, double timeout)
{
	return fuse_reply_attr(req, attr, timeout) == 0;
}

bool reply_entry(fuse_req_t req, const struct fuse_entry_param *entry)
{
	return fuse_reply_entry(req, entry) == 0;
}

static uint32_t stream_flags(const struct fuse_file_info *fi)
{
	return STREAM_FLAGS | (fi->noflush ? FOPEN_NOFLUSH : 0);
}

bool reply_open_stream(fuse_req_t req, const struct fuse_file_info *fi)
{
	struct fuse_open_out out = {.fh = fi->fh, .open_flags = stream_flags(fi)};

	return fuse_reply_buf(req, (const char *)&out, sizeof(out)) == 0;
}

static void split_timeout(double timeout, uint64_t *ret_seconds, uint32_t *ret_nanoseconds)
{
	*ret_seconds = (uint64_t)timeout;
	*ret_nanoseconds = (uint32_t)((timeout - (double)*ret_seconds) * 1e9);
}

static void fill_attr(struct fuse_attr *out, const struct stat *attr)
{
	*out = (struct fuse_attr){
		.ino = attr->st_ino,
		.size = (uint64_t)attr->st_size,
		.blocks = (uint64_t)attr->st_blocks,
		.atime = (uint64_t)attr->st_atim.tv_sec,
		.mtime = (uint64_t)attr->st_mtim.tv_sec,
		.ctime = (uint64_t)attr->st_ctim.tv_sec,
		.atimensec = (uint32_t)attr->st_atim.tv_nsec,
		.mtimensec = (uint32_t)attr->st_mtim.tv_nsec,
		.ctimensec = (uint32_t)attr->st_ctim.tv_nsec,
		.mode = attr->st_mode,
		.nlink = (uint32_t)attr->st_nlink,
		.uid = attr->st_uid,
		.gid = attr->st_gid,
		.blksize = (uint32_t)attr->st_blksize,
	};
}

bool reply_create_stream(fuse_req_t req, const struct fuse_entry_param *entry,
			 const struct fuse_file_info *fi)
{
	struct {
		struct fuse_entry_out entry;
		struct fuse_open_out open;
	} out = {
		.entry = {.nodeid = entry->ino, .generation = entry->generation},
		.open = {.fh = fi->fh, .open_flags = stream_flags(fi)},
	};

	split_timeout(entry->entry_timeout, &out.entry.entry_valid, &out.entry.entry_valid_nsec);
	split_timeout(entry->attr_timeout, &out.entry.attr_valid, &out.entry.attr_valid_nsec);
	fill_attr(&out.entry.attr, &entry->attr);
	return fuse_reply_buf(req, (const char *)&out, sizeof(out)) == 0;
}
