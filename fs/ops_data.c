// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads and writes: answered at once, or held until the channel is ready. */
#include "fs/ops.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

#include "fs/handle.h"
#include "fs/inode.h"
#include "fs/reply.h"
#include "fs/request.h"
#include "fs/session.h"
#include "lib/channel/journal.h"

static bool is_stream(const struct file *file)
{
	return file->channel->service == CHANNEL_STREAM;
}

/*
 * Only streams heed O_NONBLOCK: nobody expects EAGAIN from a regular file. The flag may have
 * changed since the file was opened (fcntl(2), F_SETFL), and the kind has to know it, too.
 */
static bool may_wait(const struct file *file)
{
	return !(file->flags & O_NONBLOCK) || !is_stream(file);
}

static void note_flags(struct file *file, const struct fuse_file_info *fi)
{
	file->flags = (file->flags & ~O_NONBLOCK) | (fi->flags & O_NONBLOCK);
}

/* Whether a read(2) that already has bytes can get more. An error is left to the next read(2). */
static bool has_more(struct file *file)
{
	return (channel_poll(file) & (EPOLLIN | EPOLLERR)) == EPOLLIN;
}

/*
 * Whether this read may be served. splice(2) and private mappings read through the page cache,
 * which drops bytes that nobody asked for, and keeps bytes that others then change. Most such reads
 * are refused; the program then reads in another way, if it can. Only direct reads carry a lock
 * owner (linux/fs/fuse/file.c, fuse_send_read).
 *
 * An open text doesn't change, so it may be read through the page cache. But the kernel trusts the
 * size that it was given, and would cut the text off if that size were smaller. And another open of
 * the same inode, by /proc/PID/fd, has another text in the same pages.
 */
static bool may_read(const struct handle *handle, const struct fuse_file_info *fi)
{
	const struct inode_record *inode = handle->inode->record;
	const struct file *file = handle->file;

	if (fi->lock_owner != 0 || file->channel->service == CHANNEL_BACKED)
		return true;
	return file->is_frozen && inode->n_handles == 1 && inode->told_size >= file->rest.size;
}

void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset, struct fuse_file_info *fi)
{
	const struct session *session = fuse_req_userdata(req);
	struct handle *handle = op_handle(req, fi);
	struct file *file = handle ? handle->file : NULL;
	struct read_request read = {.size = size, .offset = offset};
	struct pieces pieces;
	bool goes_on = false;
	ssize_t n = -EAGAIN;

	if (!file)
		return;
	read.thread = fuse_req_ctx(req)->pid;
	if (!may_read(handle, fi)) {
		reply_result(req, -EINVAL);
		return;
	}
	if (is_stream(file))
		goes_on = long_read_begin(&handle->record->long_read, &read, session->io_max,
					  file->channel->traits & CHANNEL_BYTES);
	/* A former daemon had recognised it, and forgotten what it continues. */
	if (is_stream(file) && offset && session->host.journal->is_again)
		goes_on = true;
	note_flags(file, fi);
	file->pid = read.thread;
	file->pid_uid = fuse_req_ctx(req)->uid;
	pieces.lent = 0; /* clearing all of it would be expensive */
	if (!goes_on || has_more(file))
		n = channel_lend(file, read.size, offset, &pieces);
	if (n == -EAGAIN && !goes_on && may_wait(file)) {
		file->pid = 0;
		request_hold_read(req, handle, &read);
		return;
	}
	if (reply_pieces(req, &pieces, n)) {
		channel_take(file, &pieces);
	} else {
		channel_given(file, false);
		n = -ENOENT;
	}
	file->pid = 0;
	long_read_end(&handle->record->long_read, &read, n);
}

/*
 * Whether the write is certainly no piece of a longer one. The kernel cuts a write(2) at io_max, or
 * up to a page before that, so a write of nearly that size may be only a piece of a message.
 */
static bool is_whole(fuse_req_t req, const struct file *file, size_t size)
{
	const struct session *session = fuse_req_userdata(req);

	return !(file->channel->traits & CHANNEL_MESSAGES) || size <= session->io_max - HOST_PAGE;
}

/* How much of a write that comes again the former daemon has done. */
static size_t written_before(struct session *session, size_t size)
{
	const struct journal *journal = session->host.journal;
	size_t done = journal->is_again ? journal_done(&session->host, journal->request) : 0;

	return done < size ? done : size;
}

void op_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t offset,
	      struct fuse_file_info *fi)
{
	struct session *session = fuse_req_userdata(req);
	struct file *file = op_file(req, fi);
	size_t done = written_before(session, size);
	ssize_t n = 0;

	if (!file)
		return;
	if (!is_whole(req, file, size)) {
		reply_result(req, -EMSGSIZE);
		return;
	}
	note_flags(file, fi);
	file->pid = fuse_req_ctx(req)->pid;
	file->pid_uid = fuse_req_ctx(req)->uid;
	file->buffer = session->host.buffers.current;
	journal_write(file, done);
	journal_resumed(&session->host);
	while (done < size || !size) {
		n = channel_write(file, data + done, size - done, offset + (off_t)done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	file->pid = 0;
	file->buffer = NULL;
	if (n == -EAGAIN && (may_wait(file) || file->channel->traits & CHANNEL_WRITES_ARE_SHORT))
		request_hold_write(req, file, &(struct request_data){data, size, done, offset});
	else
		reply_written(req, done ? (ssize_t)done : n);
	journal_write_end(&session->host);
}
