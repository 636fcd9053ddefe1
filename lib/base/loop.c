// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Deferred tasks run after each dispatch, yielded ones after each batch of events. A source that is
 * removed is also cleared from the current batch, so its owner may free it at once.
 */
#include "lib/base/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"

#define LOOP_BATCH 64

struct loop {
	int epoll_fd;
	bool is_stopped;
	struct loop_task *tasks;
	struct loop_task *yielded; /* run after the current batch */
	struct epoll_event batch[LOOP_BATCH];
	int n_batch; /* events reported by epoll, not all dispatched yet */
};

int loop_new(struct loop **ret_loop)
{
	CLEANUP_FREE struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return -ENOMEM;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0)
		return -errno;
	*ret_loop = TAKE_PTR(loop);
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	close(loop->epoll_fd);
	free(loop);
}

int loop_add(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = source};

	if (source->is_added)
		return 0;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, source->fd, &event) < 0)
		return -errno;
	source->is_added = true;
	return 0;
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
	if (!source->is_added)
		return;
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
	source->is_added = false;
	for (int i = 0; i < loop->n_batch; i++)
		if (loop->batch[i].data.ptr == source)
			loop->batch[i].data.ptr = NULL;
}

static void add_task(struct loop_task **list, struct loop_task *task)
{
	task->is_queued = true;
	DL_APPEND(*list, task);
}

static void remove_task(struct loop_task **list, struct loop_task *task)
{
	task->is_queued = false;
	DL_DELETE(*list, task);
}

void loop_defer(struct loop *loop, struct loop_task *task)
{
	if (task->is_queued)
		return;
	task->has_yielded = false;
	add_task(&loop->tasks, task);
}

void loop_yield(struct loop *loop, struct loop_task *task)
{
	if (task->is_queued)
		return;
	task->has_yielded = true;
	add_task(&loop->yielded, task);
}

void loop_cancel(struct loop *loop, struct loop_task *task)
{
	if (task->is_queued)
		remove_task(task->has_yielded ? &loop->yielded : &loop->tasks, task);
}

void loop_run_tasks(struct loop *loop)
{
	while (loop->tasks) {
		struct loop_task *task = loop->tasks;

		remove_task(&loop->tasks, task);
		task->run(task);
	}
}

/* Runs the tasks that have yielded so far. A task that yields again waits for the next turn. */
static void run_yielded(struct loop *loop)
{
	while (loop->yielded) {
		struct loop_task *task = loop->yielded;

		remove_task(&loop->yielded, task);
		loop_defer(loop, task);
	}
	loop_run_tasks(loop);
}

int loop_run(struct loop *loop)
{
	loop->is_stopped = false;
	loop_run_tasks(loop);
	while (!loop->is_stopped) {
		int n = epoll_wait(loop->epoll_fd, loop->batch, LOOP_BATCH, loop->yielded ? 0 : -1);

		if (n < 0 && errno != EINTR)
			return -errno;
		loop->n_batch = n;
		for (int i = 0; i < n && !loop->is_stopped; i++) {
			struct loop_source *source = loop->batch[i].data.ptr;

			if (source)
				source->dispatch(source, loop->batch[i].events);
			loop_run_tasks(loop);
		}
		loop->n_batch = 0;
		if (loop->yielded)
			run_yielded(loop);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->is_stopped = true;
}
