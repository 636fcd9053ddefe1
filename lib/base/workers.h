/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads for what can only block: scans of /proc, name resolution, waits that have no descriptor.
 *
 * A job runs on a thread and touches nothing that the loop's thread may touch meanwhile; what it
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
struct worker_job {
	void (*work)(struct worker_job *job); /* on a thread */
	void (*done)(
		struct worker_job *job); /* on the loop, after it; the job is its owner's again */
	_Atomic bool is_interrupted; /* what sleeps in work() is to give up when it sees EINTR */
	struct worker *worker;       /* that runs it */
	struct worker_job *prev, *next;
};

/* -ENOMEM, -EMFILE. Up to `n_threads` are started when there is work; few stay without. */
int workers_new(struct loop *loop, unsigned n_threads, struct workers **ret_workers);

/* Interrupts and awaits the jobs that are running, and calls done() of all. NULL is nothing. */
void workers_free(struct workers *workers);

/* Takes a job back that has not begun: true, and it is its owner's again without done(). */
bool workers_cancel(struct workers *workers, struct worker_job *job);

/*
 * Has the system call that a running job sleeps in fail with EINTR, now and again until the job
 * has ended; done() follows. A job that has not begun ends without work() having slept, because
 * is_interrupted is set before.
 */
void workers_interrupt(struct workers *workers, struct worker_job *job);

/* Has the job run. -EAGAIN: no thread could be started, and done() is not called. */
int workers_submit(struct workers *workers, struct worker_job *job);

#endif
