// SPDX-License-Identifier: GPL-2.0-or-later
/* Open files, and what only they have: passthrough, the size of a text, wake-ups of poll(2). */
#include "fs/handle.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <unistd.h>

#include "fs/inode.h"
#include "fs/ops.h"
#include "fs/session.h"
#include "fs/takeover.h"
#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/locks.h"
#include "lib/channel/record.h"

struct handle *handle_from(const struct session *session, uint64_t fh)
{
	return slots_object(&session->handles, fh);
}

int handle_new(fuse_req_t req, struct inode *inode, int flags, struct caller *caller,
	       struct handle **ret_handle)
{
	struct session *session = fuse_req_userdata(req);
	const struct selector selector = {inode->record->has_number, inode->record->number};
	CLEANUP_FREE struct handle *handle = calloc(1, sizeof(*handle));
	uint64_t fh;
	int r = handle ? slots_add(&session->handles, handle, &fh) : -ENOMEM;

	if (r < 0)
		return r;
	r = channel_open(inode->entry.channel, flags, &selector, caller, &handle->file);
	if (r < 0) {
		slots_remove(&session->handles, fh);
		return r;
	}
	handle->record = slots_record(&session->handles, fh);
	handle->fh = fh;
	handle->record->nodeid = inode->record->nodeid;
	handle->record->opened = session->host.journal->request;
	STATE_ORDER();
	handle->record->file = handle->file->id;
	inode->record->object = inode->entry.channel->id;
	handle->inode = inode;
	inode->file = handle->file;
	inode->record->n_handles++;
	*ret_handle = TAKE_PTR(handle);
	return 0;
}

/*
 * The kernel writes to a backing file with the rights of the thread that registered it, and with
 * CAP_FSETID no write clears set-ID bits. So it is registered without that capability. All opens of
 * the inode share one registration, so even writers who have CAP_FSETID clear the bits.
 */
static int back_for_writers(fuse_req_t req, int fd)
{
	int id;

	if (caller_enter_writer() < 0)
		return 0;
	id = fuse_passthrough_open(req, fd);
	caller_leave_writer();
	return id;
}

/* The kernel knows an inode's backing file by one number, for as long as any handle is open. */
bool handle_back(fuse_req_t req, struct handle *handle)
{
	struct session *session = fuse_req_userdata(req);
	struct channel *channel = handle->inode->entry.channel;
	struct inode_record *inode = handle->inode->record;

	if (!channel_has_backing(channel) || channel->backing_fd < 0 ||
	    !features_has(&session->host.features, FEATURE_PASSTHROUGH))
		return false;
	if (!inode->backing_id)
		inode->backing_id = back_for_writers(req, channel->backing_fd);
	if (!inode->backing_id)
		return false;
	inode->n_backed++;
	handle->record->is_backed = true;
	return true;
}

static void handle_unback(fuse_req_t req, struct handle *handle)
{
	struct inode_record *inode = handle->inode->record;

	if (!handle->record->is_backed || --inode->n_backed > 0)
		return;
	if (req)
		fuse_passthrough_close(req, inode->backing_id);
	inode->backing_id = 0;
}

void handle_free(fuse_req_t req, struct session *session, struct handle *handle)
{
	handle_unback(req, handle);
	handle->inode->record->n_handles--;
	if (handle->inode->file == handle->file)
		handle->inode->file = NULL;
	if (handle->poll)
		fuse_pollhandle_destroy(handle->poll);
	lock_drop_file(handle->file->channel, handle->fh);
	channel_release(handle->file);
	slots_remove(&session->handles, handle->fh);
	free(handle);
}

/* Has whoever polls the file poll it again: something may have come meanwhile. */
static void tell_poll_again(const struct session *session, struct handle_record *record)
{
	const struct {
		struct fuse_out_header head;
		struct fuse_notify_poll_wakeup_out wakeup;
	} out = {
		.head = {.len = sizeof(out), .error = FUSE_NOTIFY_POLL},
		.wakeup = {.kh = record->poll},
	};

	/* Fails if nobody polls any more. */
	(void)!write(session->device.fd, &out, sizeof(out));
	STATE_ORDER();
	record->is_polled = false;
}

/* Fails with -EPROTO if the record is of no use. */
static int handle_adopt(struct session *session, uint64_t fh, struct handle_record *record)
{
	struct inode *inode = slots_object(&session->inodes, record->nodeid);
	struct handle *handle;
	int r;

	if (!inode || !inode->entry.channel || journal_is_again(&session->host, record->opened))
		return -EPROTO;
	handle = calloc(1, sizeof(*handle));
	if (!handle)
		return -ENOMEM;
	r = file_adopt(&session->host, record->file, &handle->file);
	if (r < 0) {
		free(handle);
		return r;
	}
	handle->fh = fh;
	handle->record = record;
	handle->inode = inode;
	inode->file = handle->file;
	inode->record->n_handles++;
	inode->record->n_backed += record->is_backed;
	slots_set_object(&session->handles, fh, handle);
	return 0;
}

int handles_adopt(struct session *session)
{
	uint64_t id = 0;
	int r;

	while ((id = slots_next(&session->handles, id)) != 0) {
		struct handle_record *record = slots_record(&session->handles, id);

		state_mend(&record->is_polled);
		state_mend(&record->is_backed);
		r = handle_adopt(session, id, record);
		if (r < 0 && !takeover_may_lose(session, r))
			return r;
		if (r < 0)
			slots_remove(&session->handles, id);
		else if (record->is_polled)
			tell_poll_again(session, record);
	}
	return 0;
}

void handle_free_all(struct session *session)
{
	uint64_t fh = 0;

	while ((fh = slots_next(&session->handles, fh)) != 0) {
		struct handle *handle = handle_from(session, fh);

		if (handle)
			handle_free(NULL, session, handle);
		else
			slots_remove(&session->handles, fh);
	}
}

/*
 * The answer to OPEN has no size. But storing into the page cache lengthens the file
 * (fuse_notify_store() in linux/fs/fuse/dev.c), and one byte will do, the last one. The store waits
 * for the lock of its page, which a read holds until we answer. So it is done only for the first
 * opener, while nobody else can read the inode. With several openers, op_read() refuses reads that
 * the size would cut off.
 */
void handle_tell_size(const struct session *session, struct handle *handle)
{
	const struct file *file = handle->file;
	struct inode_record *inode = handle->inode->record;
	struct fuse_bufvec last = FUSE_BUFVEC_INIT(1);

	if (!file->is_frozen || inode->told_size >= file->rest.size || inode->n_handles > 1)
		return;
	last.buf[0].mem = file->rest.data + file->rest.size - 1;
	if (fuse_lowlevel_notify_store(session->fuse, inode->nodeid, (off_t)file->rest.size - 1,
				       &last, 0) == 0)
		inode->told_size = file->rest.size;
}

static void tell_poll(struct file *file)
{
	struct handle *handle = file->poll_data;

	fuse_lowlevel_notify_poll(handle->poll);
	fuse_pollhandle_destroy(handle->poll);
	handle->poll = NULL;
	handle->record->is_polled = false;
}

/* The kernel has one wait queue for each open file: only its newest poll handle is of use. */
void handle_watch(struct handle *handle, struct fuse_pollhandle *poll, uint64_t number)
{
	if (handle->poll)
		fuse_pollhandle_destroy(handle->poll);
	handle->poll = poll;
	handle->record->poll = number;
	handle->record->is_polled = true;
	channel_watch(handle->file, tell_poll, handle);
}
