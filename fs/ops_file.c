// SPDX-License-Identifier: GPL-2.0-or-later
/* Open files: OPEN, CREATE and RELEASE, and the calls on a descriptor that move no data. */
#include "fs/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>

#include "fs/handle.h"
#include "fs/inode.h"
#include "fs/reply.h"
#include "fs/request.h"
#include "fs/session.h"
#include "fs/show.h"
#include "fs/step.h"
#include "lib/base/cleanup.h"
#include "lib/channel/place.h"

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

/*
 * Fills in how the kernel has to treat the open file. Returns false for a stream, for which `fi`
 * has no field.
 */
static bool fill_open(fuse_req_t req, struct handle *handle, struct fuse_file_info *fi)
{
	const struct channel *channel = handle->inode->entry.channel;

	fi->fh = handle->fh;
	/* Without this, each close(2) sends a FLUSH, because a close ends locks. */
	fi->noflush = (channel->traits & CHANNEL_HAS_NO_LOCKS) != 0;
	if (handle->file->is_stream)
		return false;
	handle_tell_size(fuse_req_userdata(req), handle);
	if (handle_back(req, handle))
		fi->backing_id = handle->inode->record->backing_id;
	/*
	 * With both a backing file and direct_io, mappings go to the backing file, and all else
	 * comes here (linux/fs/fuse/file.c).
	 */
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
		is_answered = reply_open_stream(req, fi);
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

/*
 * Empties the open file, then answers. This is a step because a large file may take a long time to
 * cut down. O_TRUNC does not empty streams.
 */
static void take_open_truncated(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct handle *handle = op_handle(req, &step->fi);
	int r;

	if (!handle)
		return;
	r = channel_truncate(handle->file->channel, handle->file, 0, caller);
	if (!step_waits(req, &r, step, caller))
		reply_opened(req, &step->fi, r);
}

static bool is_file(const struct handle *handle)
{
	return handle->file->channel->service == CHANNEL_FILE;
}

/* Answers when the open file has reached its other end and, with O_TRUNC, has been emptied. */
static void go_on_opening(fuse_req_t req, struct handle *handle, struct fuse_file_info *fi)
{
	int r = channel_opened(handle->file);

	fi->fh = handle->fh;
	/* A regular file always waits, even with O_NONBLOCK. */
	if (r == -EAGAIN && (!(fi->flags & O_NONBLOCK) || is_file(handle)))
		request_hold_open(req, handle->file, fi, reply_opened);
	else if (r < 0 && r != -EAGAIN)
		reply_opened(req, fi, r);
	else if ((fi->flags & O_TRUNC) && channel_has_size(handle->file->channel))
		step_begin(req, &(struct step){.take = take_open_truncated, .fi = *fi});
	else
		reply_open(req, handle, fi);
}

static void take_open(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct inode *inode = inode_from(fuse_req_userdata(req), step->ino);
	struct fuse_file_info fi = step->fi;
	struct handle *handle;
	/* On ESTALE the kernel sends a LOOKUP, which gives an inode that can be opened. */
	int r = !inode || inode->record->is_listed
			? -ESTALE
			: handle_new(req, inode, fi.flags, caller, &handle);

	if (step_waits(req, &r, step, caller))
		return;
	if (r < 0)
		reply_result(req, r);
	else
		go_on_opening(req, handle, &fi);
}

void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	step_begin(req, &(struct step){.take = take_open, .ino = ino, .fi = *fi});
}

/*
 * Opens the object that was just made. This can't wait, even if someone was quick to take a lease
 * on the object, because we still have to forget the inode if the open fails. Instead the kernel is
 * told to look again. It then opens the object like any that was there before.
 */
static int open_now(fuse_req_t req, struct inode *inode, int flags, struct caller *caller,
		    struct handle **ret_handle)
{
	struct waiter *waiter = TAKE_PTR(caller->waiter);
	int r = handle_new(req, inode, flags & ~O_TRUNC, caller, ret_handle);

	caller->waiter = waiter;
	return r == -EAGAIN && !(flags & O_EXCL) ? -ESTALE : r;
}

int op_reply_made(fuse_req_t req, struct inode *inode, struct handle *handle,
		  struct fuse_file_info *fi)
{
	struct session *session = fuse_req_userdata(req);
	struct fuse_entry_param entry;
	bool is_answered;
	int r = inode_entry(inode, &entry);

	if (r < 0) {
		handle_free(req, session, handle);
		return r;
	}
	if (fill_open(req, handle, fi))
		is_answered = fuse_reply_create(req, &entry, fi) == 0;
	else
		is_answered = reply_create_stream(req, &entry, fi);
	if (!is_answered) {
		handle_free(NULL, session, handle);
		inode_forget(session, inode, 1);
	}
	return 0;
}

/* Opens the object that was just made, and answers with the inode and the handle. */
static int open_made(fuse_req_t req, struct inode *inode, struct fuse_file_info *fi,
		     struct caller *caller)
{
	struct handle *handle;
	int r = open_now(req, inode, fi->flags, caller, &handle);

	return r < 0 ? r : op_reply_made(req, inode, handle, fi);
}

/*
 * Someone else has made the object meanwhile. -ESTALE has the kernel look again, and check the
 * caller's right to open it.
 */
static void take_existing(fuse_req_t req, const struct step *step, struct caller *caller)
{
	int r = op_exists(req, step, caller);

	if (!step_waits(req, &r, step, caller))
		reply_result(req, r == 0 ? -ESTALE : -EEXIST);
}

static void take_create(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct fuse_file_info fi = step->fi;
	struct step made = *step;
	struct inode *inode = NULL;
	int r = op_make(req, step, caller, &inode);

	if (step_waits(req, &r, step, caller))
		return;
	if (r == -EEXIST && !(fi.flags & O_EXCL)) {
		step_begin(req, &(struct step){.take = take_existing,
					       .ino = step->ino,
					       .name = step->name});
		return;
	}
	if (r < 0) {
		reply_result(req, op_settle_made(req, r));
		return;
	}
	/*
	 * A caller that was told to look again, and found nothing, is not told that a second time.
	 */
	if (inode_is_node(inode) && show_was_told(req, step))
		made.fi.flags |= O_EXCL;
	if (inode_is_node(inode) && (made.fi.flags & O_EXCL) &&
	    (made.fi.flags & O_ACCMODE) != O_WRONLY)
		r = show_as_regular(inode);
	if (r == 0 && inode_is_node(inode)) {
		show_begin(req, &made, inode);
		return;
	}
	if (r == 0)
		r = open_made(req, inode, &fi, caller);
	if (r < 0) {
		inode_forget(fuse_req_userdata(req), inode, 1);
		reply_result(req, r);
	}
}

void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
	       struct fuse_file_info *fi)
{
	step_begin(req, &(struct step){.take = take_create,
				       .ino = parent,
				       .name = name,
				       .mode = S_IFREG | (op_masked(req, parent, mode) & 07777),
				       .fi = *fi,
				       .has_fi = true});
}

void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *handle = op_handle(req, fi);

	if (!handle)
		return;
	handle_free(req, fuse_req_userdata(req), handle);
	reply_result(req, 0);
}

/* The number of the poll handle in the request that has just come; libfuse does not tell. */
static uint64_t poll_number(const struct session *session)
{
	const struct fuse_in_header *header = session->buffer.mem;

	return ((const struct fuse_poll_in *)(header + 1))->kh;
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
		handle_watch(handle, poll, poll_number(fuse_req_userdata(req)));
	fuse_reply_poll(req, channel_poll(handle->file));
}

static void take_fallocate(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct file *file = op_file(req, &step->fi);
	int r;

	if (!file)
		return;
	r = channel_allocate(file, (int)step->mode, step->offset, (off_t)step->size, caller);
	if (!step_waits(req, &r, step, caller))
		reply_result(req, r);
}

void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
		  struct fuse_file_info *fi)
{
	step_begin(req, &(struct step){.take = take_fallocate,
				       .mode = (mode_t)mode,
				       .offset = offset,
				       .size = (size_t)length,
				       .fi = *fi});
}

static void take_lseek(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct file *file = op_file(req, &step->fi);
	off_t found = 0;
	int r;

	if (!file)
		return;
	r = channel_seek(file, step->offset, (int)step->mode, caller, &found);
	if (step_waits(req, &r, step, caller))
		return;
	if (r < 0)
		reply_result(req, r);
	else
		fuse_reply_lseek(req, found);
}

void op_lseek(fuse_req_t req, fuse_ino_t ino, off_t offset, int whence, struct fuse_file_info *fi)
{
	step_begin(req, &(struct step){.take = take_lseek,
				       .mode = (mode_t)whence,
				       .offset = offset,
				       .fi = *fi});
}
