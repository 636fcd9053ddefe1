/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A few threads for what can only block: scans of /proc, name resolution.
 *
 * A job runs on a thread and touches nothing that the loop's thread may touch meanwhile; what it
 * found it hands over in its own memory, when the loop calls done().
 */
#ifndef IPCFS_WORKERS_H
#define IPCFS_WORKERS_H

#include <stdbool.h>

struct loop;
struct workers;

/* Part of its owner's memory, and the workers' from submit to done. */
struct worker_job {
	void (*work)(struct worker_job *job); /* on a thread */
	void (*done)(
		struct worker_job *job); /* on the loop, after it; the job is its owner's again */
	struct worker_job *next;
};

/* -ENOMEM, -EMFILE. The threads are started when there is work. */
int workers_new(struct loop *loop, struct workers **ret_workers);

/* Waits for the jobs that are running, and calls done() of all. NULL is nothing. */
void workers_free(struct workers *workers);

/* Takes a job back that has not begun: true, and it is its owner's again without done(). */
bool workers_cancel(struct workers *workers, struct worker_job *job);

/* Has the job run. -EAGAIN: no thread could be started, and done() is not called. */
int workers_submit(struct workers *workers, struct worker_job *job);

#endif
