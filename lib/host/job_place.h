/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where jobs run. Private to lib/host/job*.c.
 */
#ifndef IPCFS_JOB_PLACE_H
#define IPCFS_JOB_PLACE_H

#include <time.h>

#include "lib/base/workers.h"
#include "lib/host/child.h"
#include "lib/host/job.h"

enum job_state {
	JOB_QUEUED,  /* behind another process of the same user */
	JOB_RUNNING, /* a process or thread is doing it */
	JOB_DONE,
};

struct job {
	struct host *host;
	struct waiter *waiter; /* NULL: nobody wants the result any more */
	struct caller caller;
	enum job_state state;
	struct job_call call; /* call.data: the job's own copy of the input */
	void *data;           /* what act() works on; for a process, child::shared; or NULL */
	int result;
	bool is_stopped;
	struct child child;
	struct worker_task task;
	struct loop_task tell;   /* resumes the waiter of a job that never ran */
	int64_t until;           /* when job_call::most is over, as clock_now() */
	struct timespec left;    /* when the waiter of a process gave up; CLOCK_MONOTONIC */
	struct job *prev, *next; /* host::jobs */
};

/* Whether the job runs as the caller, and not as the daemon itself. */
static inline bool job_place_is_callers(enum job_place place)
{
	return place == JOB_PROCESS || place == JOB_THREAD;
}

/* Whether the job may continue without a waiter. */
static inline bool job_place_is_left(enum job_place place)
{
	return job_place_is_callers(place) || place == JOB_ALONE || place == JOB_ELSEWHERE;
}

/* In job.c: ends a job that is done, or that can't be done. */
void job_done(struct job *job, int result);

/*
 * In job.c: gives the waiter -ETIMEDOUT, because the job's time is over. Whatever the job still
 * does is undone. Fails with -ENOMEM.
 */
int job_expire(struct job *job);

/* In job_clock.c: makes the job expire when its time is over. */
void job_clock_add(struct job *job);

/* Prepares a job that is all zeroes except its host and call. */
void job_place_init(struct job *job);
/* Frees the job's process, or the data of its thread. */
void job_place_fini(struct job *job);

/*
 * Starts the job, or queues it behind its user's process. Fails with -EBUSY if that process keeps
 * running without a waiter, or if the user has just stopped a process.
 */
int job_place_start(struct job *job);

/* Starts the user's next process, after one has gone. */
void job_place_next(struct host *host, uid_t uid);

/*
 * Called when the job has lost its waiter. Returns true if a thread or process still runs the job.
 */
bool job_place_leave(struct job *job);

/* Asks a job on one of the daemon's own threads to end: job_done() follows. */
void job_place_stop(struct job *job);

#endif
