/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads for work that can only block: scans of /proc, name resolution, waits that have no
 * descriptor.
 *
 * A task runs on a thread and touches nothing that the loop's thread may touch meanwhile. It leaves
 * its result in its own memory, for done(), which the loop calls.
 */
#ifndef IPCFS_WORKERS_H
#define IPCFS_WORKERS_H

#include <stdatomic.h>
#include <stdbool.h>

struct loop;
struct worker;
struct workers;

/* A task is part of its owner's memory, but belongs to the workers from submit to done(). */
struct worker_task {
	void (*work)(struct worker_task *task); /* on a thread */
	/* Called on the loop after work(). The task belongs to its owner again. */
	void (*done)(struct worker_task *task);
	_Atomic bool is_interrupted; /* work() must give up at the next EINTR */
	unsigned owner;              /* the user whose share of the threads the task uses */
	/*
	 * How many of the owner's tasks with this same value may run at a time. 0: the share that
	 * was given to workers_new().
	 */
	unsigned share;
	struct worker *worker; /* the thread that runs it */
	struct worker_task *prev, *next;
};

/* A share for tasks that can't wait until another task has ended. */
#define WORKERS_AT_ONCE 0

/*
 * Makes workers. Up to `n_threads` threads are started when there is work; a few stay when there is
 * none. At most `share` tasks of one owner run at a time, and that owner's other tasks wait behind
 * them: however many tasks a user submits, and however long they take, another user's tasks begin
 * at once. With WORKERS_AT_ONCE each task has a thread as soon as it is submitted. Fails with
 * -ENOMEM or -EMFILE.
 */
int workers_new(struct loop *loop, unsigned n_threads, unsigned share,
		struct workers **ret_workers);

/* Interrupts all tasks, waits for them, and calls done() for each. NULL: does nothing. */
void workers_free(struct workers *workers);

/*
 * Like workers_free(), for a process that is about to end. After `milliseconds`, gives up on tasks
 * that ignore the interrupt: their threads keep running, done() is not called for them, and all
 * that the threads may still touch stays allocated.
 */
void workers_leave(struct workers *workers, unsigned milliseconds);

/*
 * Cancels a task that has not begun. Returns true if so: the task belongs to its owner again, and
 * done() is not called.
 */
bool workers_cancel(struct workers *workers, struct worker_task *task);

/*
 * Makes the system call that a running task sleeps in fail with EINTR, again and again until the
 * task has ended; then done() is called. A task that has not begun finds is_interrupted set, and
 * ends without having slept.
 */
void workers_interrupt(struct workers *workers, struct worker_task *task);

/*
 * Interrupts all tasks, so that each task that heeds the interrupt gives up. Call this repeatedly
 * until it returns false: then no task is waiting or running. done() is called as usual.
 */
bool workers_hurry(struct workers *workers);

/* Queues the task. Fails with -EAGAIN if there is no thread for it; done() is not called then. */
int workers_submit(struct workers *workers, struct worker_task *task);

#endif
