/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop: epoll over descriptors, and tasks that run soon.
 *
 * One thread, no locks. A source or task is part of its owner's memory; the loop only links it.
 * Nothing that runs on the loop may sleep.
 */
#ifndef IPCFS_LOOP_H
#define IPCFS_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* A descriptor that the loop watches. The owner keeps `fd` open while the source is added. */
struct loop_source {
	int fd;
	void (*dispatch)(struct loop_source *source, uint32_t events);
	bool is_added;
};

/* Something to run once, after the handler that deferred it has returned. */
struct loop_task {
	void (*run)(struct loop_task *task);
	struct loop_task *prev, *next; /* loop::tasks or loop::yielded */
	bool is_queued;
	bool has_yielded;
};

/* Makes a loop. Fails with -ENOMEM or an error of epoll_create1(2). */
int loop_new(struct loop **ret_loop);
void loop_free(struct loop *loop);

/*
 * Watches source->fd for `events` (EPOLLIN, EPOLLET, …). Events that are already pending are
 * reported. Does nothing if the source is already added. Fails with -ENOSPC or -ENOMEM, as
 * epoll_ctl(2) does.
 */
int loop_add(struct loop *loop, struct loop_source *source, uint32_t events);

/* Stops watching. No dispatch follows, not even of events that epoll has already reported. */
void loop_remove(struct loop *loop, struct loop_source *source);

/* Runs the task soon, once, however often it is deferred until then. */
void loop_defer(struct loop *loop, struct loop_task *task);

/*
 * Like loop_defer(), but the loop looks at all its sources first. For work done piece by piece, so
 * that other handlers run between the pieces.
 */
void loop_yield(struct loop *loop, struct loop_task *task);

/* Cancels a task that was deferred or yielded; does nothing if the task is not queued. */
void loop_cancel(struct loop *loop, struct loop_task *task);

/* Runs all deferred tasks now, and the tasks that these defer in turn, but no yielded task. */
void loop_run_tasks(struct loop *loop);

/* Dispatches until loop_stop(). Returns 0, or an error of epoll_wait(2). */
int loop_run(struct loop *loop);

/* Makes loop_run() return after the current handler. */
void loop_stop(struct loop *loop);

#endif
