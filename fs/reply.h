/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers to the kernel. Everywhere else errors are negative; here, and only here, the sign flips.
 *
 * All return false when the kernel no longer wants the answer, because the request was aborted:
 * whatever the answer would have handed over to the kernel is then still ours.
 */
#ifndef IPCFS_REPLY_H
#define IPCFS_REPLY_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

#include "lib/channel/channel.h"

bool reply_result(fuse_req_t req, int result); /* 0 or -errno */
bool reply_written(fuse_req_t req, ssize_t result);
bool reply_data(fuse_req_t req, const void *data, ssize_t result);
/* Answers with `result` bytes in pieces, or -errno. */
bool reply_pieces(fuse_req_t req, const struct pieces *pieces, ssize_t result);
bool reply_attr(fuse_req_t req, const struct stat *attr, double timeout);
bool reply_entry(fuse_req_t req, const struct fuse_entry_param *entry);

/*
 * These answer that the open file is a stream: reads and writes have no position, and go both ways
 * at once. libfuse has no field for FOPEN_STREAM, so the answer is built here as <linux/fuse.h>
 * defines it.
 */
bool reply_open_stream(fuse_req_t req, const struct fuse_file_info *fi);
bool reply_create_stream(fuse_req_t req, const struct fuse_entry_param *entry,
			 const struct fuse_file_info *fi);

#endif
