// SPDX-License-Identifier: GPL-2.0-or-later
/* A held request is a transfer (lib/channel/transfer.h) with what it takes to answer it. */
#include "fs/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "fs/handle.h"
#include "fs/reply.h"
#include "fs/session.h"
#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/locks.h"
#include "lib/channel/transfer.h"

#define SPARES_MOST 64

struct request {
	struct transfer transfer;
	fuse_req_t req;
	struct request *prev, *next;      /* session::held; or session::spares */
	union {                           /* by transfer::sort */
		struct long_read *reader; /* the handle's; lasts as long as the file */
		char *copy; /* of what is to be written, owned; NULL: kept where it arrived */
		struct {
			request_opened_fn *opened;
			uint64_t fh;
		} open;
		struct lock *lock; /* a copy, owned */
	};
};

static size_t request_bytes(const struct request *request)
{
	return request->transfer.sort == TRANSFER_WRITE ? request->transfer.size : 0;
}

static void request_free(struct session *session, struct request *request)
{
	uid_t uid = request->transfer.pid_uid; /* who is charged for it */
	struct user_table *users = &session->host.users;

	DL_DELETE(session->held, request);
	journal_forget(&session->host, &request->transfer.record);
	user_uncharge(users, uid, USER_HELD, 1);
	user_uncharge(users, uid, USER_BYTES, request_bytes(request));
	if (request->transfer.sort == TRANSFER_WRITE && request->transfer.buffer)
		buffer_release(request->transfer.buffer, uid);
	if (request->transfer.sort == TRANSFER_WRITE)
		free(request->copy);
	else if (request->transfer.sort == TRANSFER_LOCK)
		free(request->lock);
	/* A reader waits anew for each message: its next request finds the memory ready. */
	if (session->n_spares < SPARES_MOST) {
		LL_PREPEND(session->spares, request);
		session->n_spares++;
	} else {
		free(request);
	}
}

/* Returns a request in which nothing is set yet; NULL if there is no memory. */
static struct request *request_allocate(struct session *session)
{
	struct request *request = session->spares;

	if (!request)
		return malloc(sizeof(*request));
	LL_DELETE(session->spares, request);
	session->n_spares--;
	return request;
}

static bool complete_read(struct request *request, const void *data, ssize_t result)
{
	const struct transfer *transfer = &request->transfer;
	const struct read_request read = {transfer->pid, transfer->size, transfer->offset};
	bool is_answered = reply_data(request->req, data, result);

	long_read_end(request->reader, &read, is_answered ? result : -ENOENT);
	return is_answered;
}

static bool complete_open(struct request *request, int result)
{
	const struct fuse_file_info fi = {.fh = request->open.fh};

	return request->open.opened(request->req, &fi, result);
}

static bool request_complete(struct transfer *transfer, const void *data, ssize_t result)
{
	struct request *request = CONTAINER_OF(transfer, struct request, transfer);
	struct session *session = fuse_req_userdata(request->req);
	uint64_t in_hand = session->host.journal->request; /* perhaps a write to this reader */
	bool is_answered;

	journal_take_up(&session->host, transfer->request);
	if (transfer->sort == TRANSFER_OPEN)
		is_answered = complete_open(request, (int)result);
	else if (transfer->sort == TRANSFER_LOCK)
		is_answered = reply_result(request->req, (int)result);
	else if (transfer->sort == TRANSFER_READ)
		is_answered = complete_read(request, data, result);
	else if (result < 0 && transfer->before == 0)
		is_answered = reply_written(request->req, result);
	else
		is_answered = reply_written(request->req,
					    (ssize_t)transfer->before + (result > 0 ? result : 0));
	request_free(session, request);
	journal_take_up(&session->host, in_hand);
	return is_answered;
}

/* Answers the request with the bytes that have moved, or with `error` if none have. */
static void request_end(struct request *request, int error)
{
	struct transfer *transfer = &request->transfer;
	ssize_t moved = (ssize_t)transfer->done;

	transfer_cancel(transfer);
	request_complete(transfer, NULL, moved ? moved : error);
}

static void request_interrupt(fuse_req_t req, void *data)
{
	struct request *request = data;

	if (!transfer_stop(&request->transfer))
		request_end(request, -EINTR);
}

static int request_charge(struct user_table *users, uid_t uid, size_t n_bytes)
{
	int r = user_charge(users, uid, USER_HELD, 1);

	if (r < 0)
		return r;
	r = user_charge(users, uid, USER_BYTES, n_bytes);
	if (r < 0)
		user_uncharge(users, uid, USER_HELD, 1);
	return r;
}

/*
 * Makes a request with `n_bytes` to write. It is charged and on the session's list, but not held
 * yet.
 */
static int request_new(fuse_req_t req, struct file *file, size_t n_bytes,
		       struct request **ret_request)
{
	struct session *session = fuse_req_userdata(req);
	CLEANUP_FREE struct request *request = request_allocate(session);
	uid_t uid = fuse_req_ctx(req)->uid;
	int r;

	if (session->is_ending)
		return -ENOTCONN;
	if (!request)
		return -ENOMEM;
	r = request_charge(&session->host.users, uid, n_bytes);
	if (r < 0)
		return r;
	*request = (struct request){
		.transfer = {.file = file,
			     .request = session->host.journal->request,
			     .pid = fuse_req_ctx(req)->pid,
			     .pid_uid = uid,
			     .complete = request_complete},
		.req = req,
	};
	DL_APPEND(session->held, request);
	*ret_request = TAKE_PTR(request);
	return 0;
}

/*
 * Checks for an earlier interrupt itself: fuse_req_interrupt_func() would call the function at
 * once, which ends the request, and would still use `req` after that.
 */
static void request_hold(struct request *request)
{
	transfer_hold(&request->transfer);
	if (fuse_req_interrupted(request->req))
		request_end(request, -EINTR);
	else
		fuse_req_interrupt_func(request->req, request_interrupt, request);
}

void request_hold_read(fuse_req_t req, struct handle *handle, const struct read_request *read)
{
	struct request *request;
	int r = request_new(req, handle->file, 0, &request);

	if (r < 0) {
		long_read_end(&handle->record->long_read, read, r);
		reply_result(req, r);
		return;
	}
	request->reader = &handle->record->long_read;
	request->transfer.size = read->size;
	request->transfer.offset = read->offset;
	request_hold(request);
}

void request_hold_open(fuse_req_t req, struct file *file, const struct fuse_file_info *fi,
		       request_opened_fn *opened)
{
	struct request *request;
	int r = request_new(req, file, 0, &request);

	if (r < 0) {
		opened(req, fi, r);
		return;
	}
	request->open.opened = opened;
	request->open.fh = fi->fh;
	request->transfer.sort = TRANSFER_OPEN;
	request_hold(request);
}

void request_hold_lock(fuse_req_t req, struct file *file, const struct lock *lock)
{
	struct lock *copy = malloc(sizeof(*copy));
	struct request *request;
	int r = copy ? request_new(req, file, 0, &request) : -ENOMEM;

	if (r < 0) {
		free(copy);
		reply_result(req, r == -ENOBUFS ? -ENOLCK : r);
		return;
	}
	*copy = *lock;
	request->transfer.lock = request->lock = copy;
	request->transfer.sort = TRANSFER_LOCK;
	request_hold(request);
}

/* Keeps the bytes to be written where they arrived, or copies them. */
static int request_keep(struct session *session, struct request *request, const char *data,
			size_t size)
{
	struct transfer *transfer = &request->transfer;
	struct buffer *buffer = session->host.buffers.current;

	transfer->data = data;
	if (buffer_keep(buffer, data, size, transfer->pid_uid)) {
		transfer->buffer = buffer;
		return 0;
	}
	request->copy = malloc(size);
	if (!request->copy)
		return -ENOMEM;
	memcpy(request->copy, data, size);
	transfer->data = request->copy;
	return 0;
}

void request_hold_write(fuse_req_t req, struct file *file, const struct request_data *data)
{
	struct session *session = fuse_req_userdata(req);
	size_t rest = data->size - data->done;
	struct request *request;
	int r = request_new(req, file, rest, &request);

	if (r == 0) {
		request->transfer.before = data->done;
		request->transfer.sort = TRANSFER_WRITE;
		request->transfer.size = rest;
		request->transfer.offset = data->offset + (off_t)data->done;
		r = request_keep(session, request, data->data + data->done, rest);
		if (r < 0)
			request_free(session, request);
	}
	if (r < 0) {
		reply_written(req, data->done ? (ssize_t)data->done : r);
		return;
	}
	if (data->done)
		journal_keep(&session->host, &request->transfer.record, request->transfer.request,
			     data->done);
	request_hold(request);
}

void request_end_all(struct session *session)
{
	struct request *request, *next;

	DL_FOREACH_SAFE(session->held, request, next) {
		request_end(request, -ENOTCONN);
	}
	LL_FOREACH_SAFE(session->spares, request, next) {
		free(request);
	}
	session->spares = NULL;
}
