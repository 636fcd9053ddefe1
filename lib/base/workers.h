/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads for what can only block: scans of /proc, name resolution, waits that have no descriptor.
 *
 * A task runs on a thread and touches nothing that the loop's thread may touch meanwhile; what it
 * found it hands over in its own memory, when the loop calls done().
 */
#ifndef IPCFS_WORKERS_H
#define IPCFS_WORKERS_H

#include <stdatomic.h>
#include <stdbool.h>

struct loop;
struct worker;
struct workers;

/* Part of its owner's memory, and the workers' from submit to done. */
struct worker_task {
	void (*work)(struct worker_task *task); /* on a thread */
	/* On the loop, after it: the task is its owner's again. */
	void (*done)(struct worker_task *task);
	_Atomic bool is_interrupted; /* work() gives up when it sees EINTR */
	unsigned owner;              /* the user whose share of the threads it takes */
	unsigned share;        /* at most so many of them at a time; 0: as the workers have it */
	struct worker *worker; /* runs it */
	struct worker_task *prev, *next;
};

/* A share for tasks that can't wait for another to end. */
#define WORKERS_AT_ONCE 0

/*
 * -ENOMEM, -EMFILE. Up to `n_threads` are started when there is work; few stay without. At most
 * `share` tasks of one owner run at a time, and the others of that owner wait behind them: however
 * many somebody submits, and however long they take, another's begin at once. With WORKERS_AT_ONCE
 * each task has a thread as soon as it is submitted.
 */
int workers_new(struct loop *loop, unsigned n_threads, unsigned share,
		struct workers **ret_workers);

/* Interrupts and awaits the tasks that are running, and calls done() of all. NULL is nothing. */
void workers_free(struct workers *workers);

/*
 * The same, for when the process is about to end: after so many milliseconds the tasks that heed no
 * interrupt are left alone, without done(), together with all that their threads may still touch.
 */
void workers_leave(struct workers *workers, unsigned milliseconds);

/* Takes a task back that has not begun: true, and it is its owner's again without done(). */
bool workers_cancel(struct workers *workers, struct worker_task *task);

/*
 * Has the system call that a running task sleeps in fail with EINTR, now and again until the task
 * has ended; done() follows. A task that has not begun ends without work() having slept, because
 * is_interrupted is set before.
 */
void workers_interrupt(struct workers *workers, struct worker_task *task);

/*
 * Has all tasks give up, as far as they heed it: to be called again and again until it is false and
 * there is none that has not ended. done() follows as ever.
 */
bool workers_hurry(struct workers *workers);

/* Has the task run. -EAGAIN: there is no thread for it, and done() is not called. */
int workers_submit(struct workers *workers, struct worker_task *task);

#endif
