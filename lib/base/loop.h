/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop: epoll over descriptors, and tasks to be run soon.
 *
 * One thread, no locks. A source or a task is part of its owner's memory; the loop only links it.
 * Nothing that runs on the loop may sleep.
 */
#ifndef IPCFS_LOOP_H
#define IPCFS_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* A descriptor that the loop watches. The owner keeps `fd` open for as long as it is added. */
struct loop_source {
	int fd;
	void (*dispatch)(struct loop_source *source, uint32_t events);
	bool is_added;
};

/* Something to be run once, after the handler that deferred it has returned. */
struct loop_task {
	void (*run)(struct loop_task *task);
	struct loop_task *prev, *next; /* loop::tasks or loop::yielded */
	bool is_queued;
	bool has_yielded;
};

/* Makes a loop. -ENOMEM, -errno of epoll_create1(2). */
int loop_new(struct loop **ret_loop);
void loop_free(struct loop *loop);

/*
 * Watches source->fd for `events` (EPOLLIN, EPOLLET, …). Events that are pending already are
 * reported. Adding what is added does nothing. -ENOSPC, -ENOMEM: epoll_ctl(2).
 */
int loop_add(struct loop *loop, struct loop_source *source, uint32_t events);

/* Stops watching; no dispatch follows, not even one that epoll has reported already. */
void loop_remove(struct loop *loop, struct loop_source *source);

/* Runs the task soon, once, however often it is deferred before that. */
void loop_defer(struct loop *loop, struct loop_task *task);

/*
 * The same, but the loop looks at all its sources first: for work that is done piece by piece, so
 * that others have their turn between.
 */
void loop_yield(struct loop *loop, struct loop_task *task);

/* Takes back a task that was deferred or has yielded. */
void loop_cancel(struct loop *loop, struct loop_task *task);

/* Runs all deferred tasks now, with those that they defer; what has yielded has not its turn. */
void loop_run_tasks(struct loop *loop);

/* Dispatches until loop_stop(). 0, or -errno of epoll_wait(2). */
int loop_run(struct loop *loop);

/* Makes loop_run() return after the handler that is running. */
void loop_stop(struct loop *loop);

#endif
