// SPDX-License-Identifier: GPL-2.0-or-later
#include "fs/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

#include "fs/again.h"
#include "fs/inode.h"
#include "fs/reply.h"
#include "fs/request.h"
#include "fs/session.h"
#include "fs/slow.h"
#include "lib/base/cleanup.h"

/* An open file as the kernel knows it. */
struct handle {
	struct file *file;
	struct inode *inode; /* the kernel keeps it for as long as the handle is open */
	bool is_backed;      /* counted in inode_record::n_backed */
	struct fuse_pollhandle *poll;
	struct handle *prev, *next; /* session::handles */
};

static struct handle *handle_from(const struct fuse_file_info *fi)
{
	return (struct handle *)(uintptr_t)fi->fh;
}

struct file *op_file(const struct fuse_file_info *fi)
{
	return fi ? handle_from(fi)->file : NULL;
}

/* A size that can be changed. */
static bool has_size(const struct file *file)
{
	return file->channel->service == CHANNEL_BACKED && file->channel->backing_fd >= 0;
}

/* An inode's descriptor is known to the kernel by one number while any handle is open. */
static bool handle_back(fuse_req_t req, struct handle *handle)
{
	struct session *session = fuse_req_userdata(req);
	struct inode *inode = handle->inode;
	struct channel *channel = inode->entry.channel;

	if (!channel_has_backing(channel) || channel->backing_fd < 0 || !session->host.has_backing)
		return false;
	if (!inode->record->backing_id)
		inode->record->backing_id = fuse_passthrough_open(req, channel->backing_fd);
	if (!inode->record->backing_id)
		return false;
	inode->record->n_backed++;
	handle->is_backed = true;
	return true;
}

static void handle_unback(fuse_req_t req, struct handle *handle)
{
	struct inode *inode = handle->inode;

	if (!handle->is_backed || --inode->record->n_backed > 0)
		return;
	if (req)
		fuse_passthrough_close(req, inode->record->backing_id);
	inode->record->backing_id = 0;
}

static int handle_new(fuse_req_t req, struct inode *inode, int flags, struct handle **ret_handle)
{
	struct session *session = fuse_req_userdata(req);
	CLEANUP_FREE struct handle *handle = calloc(1, sizeof(*handle));
	struct caller caller = op_caller(req);
	int r;

	if (!handle)
		return -ENOMEM;
	r = channel_open(inode->entry.channel, flags, &inode->record->selector, &caller,
			 &handle->file);
	caller_fini(&caller);
	if (r < 0)
		return r;
	handle->inode = inode;
	inode->record->n_handles++;
	DL_APPEND(session->handles, handle);
	*ret_handle = TAKE_PTR(handle);
	return 0;
}

/* `req` NULL: the mount has ended. */
static void handle_free(fuse_req_t req, struct session *session, struct handle *handle)
{
	DL_DELETE(session->handles, handle);
	handle_unback(req, handle);
	handle->inode->record->n_handles--;
	if (handle->poll)
		fuse_pollhandle_destroy(handle->poll);
	channel_release(handle->file);
	free(handle);
}

void handle_free_all(struct session *session)
{
	struct handle *handle, *next;

	DL_FOREACH_SAFE(session->handles, handle, next) {
		handle_free(NULL, session, handle);
	}
}

/* How the kernel is to treat the open file; false for a stream, which fi can't say. */
static bool fill_open(fuse_req_t req, struct handle *handle, struct fuse_file_info *fi)
{
	const struct channel *channel = handle->inode->entry.channel;

	fi->fh = (uint64_t)(uintptr_t)handle;
	if (channel->service == CHANNEL_STREAM)
		return false;
	fi->noflush = 1;
	if (handle_back(req, handle))
		fi->backing_id = handle->inode->record->backing_id;
	/* With both, maps are the backing file's and all else comes here (fs/fuse/file.c). */
	fi->direct_io = !handle->is_backed ||
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
	struct fuse_file_info fi = *fi_;

	if (result >= 0)
		return reply_open(req, handle_from(&fi), &fi);
	handle_free(req, fuse_req_userdata(req), handle_from(&fi));
	return reply_result(req, result);
}

/* Opening is an operation here: it waits until there is somebody at the other end. */
static void open_late(fuse_req_t req, struct handle *handle, struct fuse_file_info *fi)
{
	ssize_t r = channel_write(handle->file, NULL, 0, 0);

	fi->fh = (uint64_t)(uintptr_t)handle;
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
	fi->fh = (uint64_t)(uintptr_t)handle;
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
	handle_free(req, fuse_req_userdata(req), handle_from(fi));
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
	struct file *file = op_file(fi);
	const void *data = NULL;
	ssize_t n;

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
	struct file *file = op_file(fi);
	bool is_message = file->channel->traits & KIND_MESSAGES;
	size_t done = 0;
	ssize_t n;

	if (is_message && size > piece_min(req)) {
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

static void tell_poll(struct file *file)
{
	struct handle *handle = file->poll_data;

	fuse_lowlevel_notify_poll(handle->poll);
	fuse_pollhandle_destroy(handle->poll);
	handle->poll = NULL;
}

/* The kernel has one wait queue for each open file: only its newest handle is of use. */
void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
	     struct fuse_pollhandle *poll)
{
	struct handle *handle = handle_from(fi);

	if (poll) {
		if (handle->poll)
			fuse_pollhandle_destroy(handle->poll);
		handle->poll = poll;
		channel_watch(handle->file, tell_poll, handle);
	}
	fuse_reply_poll(req, channel_poll(handle->file));
}

static void reply_slow(struct slow *slow, int result)
{
	reply_result(slow->req, result);
}

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
		  struct fuse_file_info *fi)
{
	struct file *file = op_file(fi);
	int fd = has_size(file) ? fcntl(file->channel->backing_fd, F_DUPFD_CLOEXEC, 0) : -1;

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
	int fd = op_file(fi)->channel->backing_fd;
	off_t found = fd < 0 ? -1 : lseek(fd, offset, whence);

	if (fd < 0)
		reply_result(req, -ESPIPE);
	else if (found < 0)
		reply_result(req, -errno);
	else
		fuse_reply_lseek(req, found);
}
