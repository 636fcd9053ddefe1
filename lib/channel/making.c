// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A making is queued until no other making of the same user is under way. Then it gathers, and then
 * a worker prints. Makings that gather take turns: one making has the loop for SLICE, and after the
 * loop has looked at all its sources, the next making has its turn. However many makings there are,
 * no one else waits longer than one slice.
 *
 * A making that has gathered a lot ends by way of the worker, which frees what was gathered.
 */
#include "lib/channel/making.h"
#include "lib/channel/record.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/workers.h"
#include "lib/host/job.h"

/* The longest that a making keeps the loop at a time, in nanoseconds. */
#define SLICE 1000000

enum making_state {
	MAKING_QUEUED,
	MAKING_READY,   /* to gather when its turn comes */
	MAKING_WAITING, /* for a job */
	MAKING_PRINTING,
};

struct making {
	struct worker_task task;
	struct waiter waiter;
	enum making_state state;
	struct text_source source; /* holds a reference to its channel */
	struct file *file;         /* NULL when the file has been released */
	_Atomic bool is_dropped;   /* the file was released, for the worker to see */
	struct caller reader;
	void *prepared;
	struct remainder content;
	int result;
	int64_t turn;               /* when its last turn ended, CLOCK_MONOTONIC */
	struct making *prev, *next; /* host::makings */
};

static struct host *host_of(const struct making *making)
{
	return making->source.channel->space->host;
}

int making_print(const struct text_ops *ops, void *data, struct caller *caller,
		 struct remainder *ret_content)
{
	FILE *out;
	int r;

	*ret_content = (struct remainder){0};
	out = open_memstream(&ret_content->data, &ret_content->size);
	if (!out)
		return -ENOMEM;
	r = ops->print(data, caller, out);
	if (fclose(out) == EOF && r == 0)
		r = -ENOMEM;
	if (r < 0)
		free(TAKE_PTR(ret_content->data));
	return r;
}

int making_freeze(const struct text_source *source, struct file *file, struct remainder *content)
{
	*source->size = content->size;
	return file_freeze(file, TAKE_PTR(content->data), content->size);
}

static void start_next(struct host *host, uid_t uid);

static void making_free(struct making *making)
{
	struct host *host = host_of(making);
	struct channel *channel = making->source.channel;
	uid_t uid = making->reader.uid;

	waiter_fini(&making->waiter);
	DL_DELETE(host->makings, making);
	user_uncharge(&host->users, uid, USER_SCANS, 1);
	if (making->prepared)
		making->source.ops->finish(making->prepared);
	caller_fini(&making->reader);
	free(making->content.data);
	free(making);
	channel_unref(channel);
	start_next(host, uid);
}

/*
 * Ends a making, and gives the file its content or the error. The open reports the error, or the
 * reads do if the open has been answered already.
 */
static void making_end(struct making *making)
{
	struct file *file = making->file;

	if (file) {
		file->state = NULL;
		if (making->result == 0)
			making->result = making_freeze(&making->source, file, &making->content);
		file->record->mark = (uint64_t)-making->result;
		channel_wake(file->channel, EPOLLIN | EPOLLHUP);
	}
	making_free(making);
}

static void making_work(struct worker_task *task)
{
	struct making *making = CONTAINER_OF(task, struct making, task);
	const struct text_ops *ops = making->source.ops;

	if (making->is_dropped || host_of(making)->is_ending)
		making->result = -EINTR;
	else if (making->result == 0)
		making->result =
			making_print(ops, making->prepared, &making->reader, &making->content);
	if (ops->discard)
		ops->discard(making->prepared);
}

static void making_done(struct worker_task *task)
{
	making_end(CONTAINER_OF(task, struct making, task));
}

/* Has a worker end the making: with print(), if `result` is 0. */
static void making_submit(struct making *making, int result)
{
	struct host *host = host_of(making);

	making->state = MAKING_PRINTING;
	making->result = result;
	if (host->workers && workers_submit(host->workers, &making->task) == 0)
		return;
	if (result == 0)
		making->result = -ENOBUFS;
	making_end(making);
}

static int making_gather(struct making *making)
{
	const struct text_ops *ops = making->source.ops;
	int64_t end = clock_now() + SLICE;
	int r;

	do {
		if (host_of(making)->is_ending)
			return -ENOTCONN;
		r = ops->gather(making->prepared, &making->reader);
	} while (r == -EAGAIN && clock_now() < end);
	return r;
}

/* Returns the ready making whose last turn is longest ago. */
static struct making *find_ready(struct host *host)
{
	struct making *making, *found = NULL;

	DL_FOREACH(host->makings, making) {
		if (making->state == MAKING_READY && (!found || making->turn < found->turn))
			found = making;
	}
	return found;
}

/*
 * Queues a turn for a ready making. With `is_next`, the turn comes only after others have had
 * theirs.
 */
static void begin_turn(struct host *host, bool is_next)
{
	if (is_next)
		loop_yield(host->loop, &host->makings_turn);
	else
		loop_defer(host->loop, &host->makings_turn);
}

static void take_turn(struct loop_task *task)
{
	struct host *host = CONTAINER_OF(task, struct host, makings_turn);
	struct making *making = find_ready(host);
	int r;

	if (!making)
		return;
	r = making_gather(making);
	making->turn = clock_now();
	if (r == -EINPROGRESS)
		making->state = MAKING_WAITING;
	else if (r != -EAGAIN)
		making_submit(making, r);
	if (find_ready(host))
		begin_turn(host, true);
}

/* Starts the next making of this user, unless one is under way. */
static void start_next(struct host *host, uid_t uid)
{
	struct making *making;

	DL_FOREACH(host->makings, making) {
		if (making->reader.uid == uid)
			break;
	}
	if (!making || making->state != MAKING_QUEUED)
		return;
	if (!making->source.ops->gather) {
		making_submit(making, 0);
		return;
	}
	making->state = MAKING_READY;
	begin_turn(host, false);
}

static void making_resume(struct waiter *waiter)
{
	struct making *making = CONTAINER_OF(waiter, struct making, waiter);

	if (making->state != MAKING_WAITING)
		return; /* dropped meanwhile */
	making->state = MAKING_READY;
	begin_turn(host_of(making), false);
}

/*
 * Notes what the making needs to know about the reader, who may be gone before the making is done.
 */
static int making_prepare(struct making *making, struct caller *caller)
{
	const struct text_source *source = &making->source;
	struct host *host = source->channel->space->host;
	int r = caller_copy(&making->reader, caller);

	if (r == 0)
		r = host_know(host, &making->reader);
	if (r == 0)
		r = source->ops->prepare(source->data, caller, &making->prepared);
	making->reader.waiter = &making->waiter;
	return r;
}

int making_start(const struct text_source *source, struct file *file, struct caller *caller)
{
	struct host *host = source->channel->space->host;
	struct making *making;
	int r = user_charge(&host->users, caller->uid, USER_SCANS, 1);

	if (r < 0)
		return r;
	making = calloc(1, sizeof(*making));
	if (!making) {
		user_uncharge(&host->users, caller->uid, USER_SCANS, 1);
		return -ENOMEM;
	}
	making->task.work = making_work;
	making->task.done = making_done;
	making->task.owner = caller->uid;
	making->waiter.resume = making_resume;
	making->source = *source;
	channel_ref(source->channel);
	making->reader.uid = caller->uid;
	DL_APPEND(host->makings, making);
	r = making_prepare(making, caller);
	if (r < 0) {
		making_free(making);
		return r;
	}
	making->file = file;
	file->state = making;
	host->makings_turn.run = take_turn;
	start_next(host, caller->uid);
	return 0;
}

void making_drop(struct making *making)
{
	making->file = NULL;
	making->is_dropped = true;
	if (making->state == MAKING_PRINTING)
		return;
	waiter_fini(&making->waiter);
	if (making->source.ops->discard)
		making_submit(making, -EINTR);
	else
		making_end(making);
}
