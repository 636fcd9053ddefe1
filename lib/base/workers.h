/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads for what can only block: scans of /proc, name resolution, waits that have no descriptor.
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

/* Part of its owner's memory, but the workers' own from submit to done(). */
struct worker_task {
	void (*work)(struct worker_task *task); /* on a thread */
	/* On the loop, afterwards: the task is its owner's again. */
	void (*done)(struct worker_task *task);
	_Atomic bool is_interrupted; /* work() gives up when it sees EINTR */
	unsigned owner;              /* the user whose share of the threads it uses */
	unsigned share;        /* at most this many such tasks at a time; 0: the workers' share */
	struct worker *worker; /* the thread that runs it */
	struct worker_task *prev, *next;
};

/* A share for tasks that can't wait until another has ended. */
#define WORKERS_AT_ONCE 0

/*
 * Makes workers. Up to `n_threads` threads are started when there is work; a few stay when there is
 * none. At most `share` tasks of one owner run at a time, and that owner's other tasks wait behind
 * them: however many tasks a user submits, and however long they take, another user's begin at
 * once. With WORKERS_AT_ONCE each task has a thread as soon as it is submitted. Fails with -ENOMEM
 * or -EMFILE.
 */
int workers_new(struct loop *loop, unsigned n_threads, unsigned share,
		struct workers **ret_workers);

/* Interrupts and awaits the running tasks, and calls done() for all. NULL: does nothing. */
void workers_free(struct workers *workers);

/*
 * The same, for a process that is about to end: after `milliseconds`, tasks that ignore the
 * interrupt are left alone, without done(), together with all that their threads may still touch.
 */
void workers_leave(struct workers *workers, unsigned milliseconds);

/* Takes back a task that has not begun. True: it is its owner's again, without done(). */
bool workers_cancel(struct workers *workers, struct worker_task *task);

/*
 * Makes the system call that a running task sleeps in fail with EINTR, repeatedly, until the
 * task has ended; done() follows. A task that has not begun finds is_interrupted set, and ends
 * without having slept.
 */
void workers_interrupt(struct workers *workers, struct worker_task *task);

/*
 * Interrupts all tasks, so that those that heed it give up. Call it repeatedly until it returns
 * false: then none is waiting or running. done() follows as usual.
 */
bool workers_hurry(struct workers *workers);

/* Queues the task. Fails with -EAGAIN if there is no thread for it; done() is not called then. */
int workers_submit(struct workers *workers, struct worker_task *task);

#endif
