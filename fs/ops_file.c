// SPDX-License-Identifier: GPL-2.0-or-later
#include "fs/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "fs/again.h"
#include "fs/handle.h"
#include "fs/inode.h"
#include "fs/reply.h"
#include "fs/request.h"
#include "fs/session.h"
#include "fs/slow.h"

struct handle *op_handle(fuse_req_t req, const struct fuse_file_info *fi)
{
	struct handle *handle = handle_from(fuse_req_userdata(req), fi->fh);

	if (!handle)
		reply_result(req, -EBADF);
	return handle;
}

struct file *op_file(fuse_req_t req, const struct fuse_file_info *fi)
{
	struct handle *handle = op_handle(req, fi);

	return handle ? handle->file : NULL;
}

/* A size that can be changed. */
static bool has_size(const struct file *file)
{
	return file->channel->service == CHANNEL_BACKED && file->channel->backing_fd >= 0;
}

/* How the kernel is to treat the open file; false for a stream, which fi can't say. */
static bool fill_open(fuse_req_t req, struct handle *handle, struct fuse_file_info *fi)
{
	const struct channel *channel = handle->inode->entry.channel;

	fi->fh = handle->record->fh;
	if (channel->service == CHANNEL_STREAM)
		return false;
	fi->noflush = 1;
	if (handle_back(req, handle))
		fi->backing_id = handle->inode->record->backing_id;
	/* With both, maps are the backing file's and all else comes here (fs/fuse/file.c). */
	fi->direct_io = !handle->record->is_backed ||
			(channel->service == CHANNEL_MAPPED && file_writes(handle->file));
	return true;
}

static bool reply_open(fuse_req_t req, struct handle *handle, struct fuse_file_info *fi)
{
	struct session *session = fuse_req_userdata(req);
	bool is_answered;

	if (fill_open(req, handle, fi))
		is_answered = fuse_reply_open(req, fi) == 0;
	else
		is_answered = reply_open_stream(req, fi->fh);
	if (!is_answered)
		handle_free(NULL, session, handle);
	return is_answered;
}

/* A request_opened_fn. */
static bool reply_opened(fuse_req_t req, const struct fuse_file_info *fi_, int result)
{
	struct session *session = fuse_req_userdata(req);
	struct fuse_file_info fi = *fi_;
	struct handle *handle = handle_from(session, fi.fh);

	if (result >= 0)
		return reply_open(req, handle, &fi);
	handle_free(req, session, handle);
	return reply_result(req, result);
}

/* Opening is an operation here: it waits until there is somebody at the other end. */
static void open_late(fuse_req_t req, struct handle *handle, struct fuse_file_info *fi)
{
	ssize_t r = channel_write(handle->file, NULL, 0, 0);

	fi->fh = handle->record->fh;
	if (r != -EAGAIN)
		reply_opened(req, fi, (int)r);
	else if (fi->flags & O_NONBLOCK)
		reply_open(req, handle, fi);
	else
		request_hold_open(req, handle->file, fi, reply_opened);
}

static void open_truncated(struct slow *slow, int result)
{
	reply_opened(slow->req, &slow->fi, result);
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct session *session = fuse_req_userdata(req);
	struct inode *inode = inode_from(session, ino);
	struct handle *handle;
	int fd;
	/* To ESTALE the kernel answers with a LOOKUP, which gives an inode to be opened. */
	int r = !inode || inode->record->is_listed ? -ESTALE
						   : handle_new(req, inode, fi->flags, &handle);

	if (r < 0) {
		reply_result(req, r);
		return;
	}
	if (handle->file->channel->traits & KIND_OPENS_LATE) {
		open_late(req, handle, fi);
		return;
	}
	/* Of streams O_TRUNC empties nothing; what is large may take long. */
	if (!(fi->flags & O_TRUNC) || !has_size(handle->file)) {
		reply_open(req, handle, fi);
		return;
	}
	fd = fcntl(handle->file->channel->backing_fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0) {
		handle_free(req, session, handle);
		reply_result(req, -ENFILE);
		return;
	}
	fi->fh = handle->record->fh;
	slow_start(&(struct slow){
		.req = req, .fi = *fi, .fd = fd, .call = slow_truncate, .done = open_truncated});
}

/* Opens what was made, and answers with both. */
static int open_made(fuse_req_t req, struct inode *inode, struct fuse_file_info *fi)
{
	struct session *session = fuse_req_userdata(req);
	struct fuse_entry_param entry;
	struct handle *handle;
	bool is_answered;
	int r = inode_entry(inode, &entry);

	if (r == 0)
		r = handle_new(req, inode, fi->flags & ~O_TRUNC, &handle);
	if (r < 0)
		return r;
	if (fill_open(req, handle, fi))
		is_answered = fuse_reply_create(req, &entry, fi) == 0;
	else
		is_answered = reply_create_stream(req, &entry, fi->fh);
	if (!is_answered) {
		handle_free(NULL, session, handle);
		inode_forget(session, inode, 1);
	}
	return 0;
}

static void create_again(fuse_req_t req, const struct again *again)
{
	struct fuse_file_info fi = *again->fi;

	op_create(req, again->ino, again->name, again->mode, &fi);
}

void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi)
{
	struct inode *inode;
	int r = op_make(req, parent, name, S_IFREG | (mode & 07777), &inode);

	if (r == -EAGAIN) {
		again_hold(req, &(struct again){.begin = create_again,
						.ino = parent,
						.name = name,
						.mode = mode,
						.fi = fi});
		return;
	}
	/* Made by another meanwhile: the kernel looks again, and checks who may open it. */
	if (r == -EEXIST && !(fi->flags & O_EXCL) && op_exists(req, parent, name))
		r = -ESTALE;
	if (r < 0) {
		reply_result(req, r);
		return;
	}
	r = open_made(req, inode, fi);
	if (r < 0) {
		inode_forget(fuse_req_userdata(req), inode, 1);
		reply_result(req, r);
	}
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *handle = op_handle(req, fi);

	if (!handle)
		return;
	handle_free(req, fuse_req_userdata(req), handle);
	reply_result(req, 0);
}

/*
 * The kernel goes on with a read(2) or write(2) that one request has done in full. It cuts at
 * io_max, or up to a page before if the buffer is not aligned, so what comes near that may be only
 * a piece: a read is answered short, which ends it, and a message refused.
 */
static size_t piece_min(fuse_req_t req)
{
	const struct session *session = fuse_req_userdata(req);

	return session->io_max - HOST_PAGE;
}

static bool is_stream(const struct file *file)
{
	return file->channel->service == CHANNEL_STREAM;
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	struct file *file = op_file(req, fi);
	const void *data = NULL;
	ssize_t n;

	if (!file)
		return;
	/*
	 * splice(2) and private maps read through the page cache, which drops what is not asked
	 * for, and keeps what others then change. Only direct reads tell a lock owner
	 * (fs/fuse/file.c, fuse_send_read).
	 */
	if (fi->lock_owner == 0 && (is_stream(file) || file->channel->service == CHANNEL_MAPPED)) {
		reply_result(req, -EINVAL);
		return;
	}
	if (is_stream(file) && size > piece_min(req))
		size = piece_min(req);
	n = channel_read(file, size, offset, &data);
	/* Of what looks like a plain file, and is, nobody expects EAGAIN. */
	if (n == -EAGAIN && (!(fi->flags & O_NONBLOCK) || !is_stream(file)))
		request_hold_read(req, file, size, offset);
	else
		reply_data(req, data, n);
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
	      struct fuse_file_info *fi)
{
	struct file *file = op_file(req, fi);
	size_t done = 0;
	ssize_t n;

	if (!file)
		return;
	if (file->channel->traits & KIND_MESSAGES && size > piece_min(req)) {
		reply_result(req, -EMSGSIZE);
		return;
	}
	do {
		n = channel_write(file, data + done, size - done, offset + (off_t)done);
		done += n > 0 ? (size_t)n : 0;
	} while (n > 0 && done < size);
	if (n == -EAGAIN && (!(fi->flags & O_NONBLOCK) || !is_stream(file)))
		request_hold_write(req, file, &(struct request_data){data, size, done, offset});
	else
		reply_written(req, done ? (ssize_t)done : n);
}

void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
	     struct fuse_pollhandle *poll)
{
	struct handle *handle = op_handle(req, fi);

	if (!handle) {
		if (poll)
			fuse_pollhandle_destroy(poll);
		return;
	}
	if (poll)
		handle_watch(handle, poll);
	fuse_reply_poll(req, channel_poll(handle->file));
}

static void reply_slow(struct slow *slow, int result)
{
	reply_result(slow->req, result);
}

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
		  struct fuse_file_info *fi)
{
	struct file *file = op_file(req, fi);
	int fd;

	if (!file)
		return;
	fd = has_size(file) ? fcntl(file->channel->backing_fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (fd < 0)
		reply_result(req, has_size(file) ? -ENFILE : -ENODEV);
	else
		slow_start(&(struct slow){.req = req,
					  .fd = fd,
					  .call = slow_allocate,
					  .done = reply_slow,
					  .mode = mode,
					  .offset = offset,
					  .length = length});
}

void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *fi)
{
	struct file *file = op_file(req, fi);
	off_t found;
	int fd;

	if (!file)
		return;
	fd = file->channel->backing_fd;
	found = fd < 0 ? -1 : lseek(fd, offset, whence);
	if (fd < 0)
		reply_result(req, -ESPIPE);
	else if (found < 0)
		reply_result(req, -errno);
	else
		fuse_reply_lseek(req, found);
}
