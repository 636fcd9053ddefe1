/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where jobs are done: for lib/host/job.c alone.
 */
#ifndef IPCFS_JOB_PLACE_H
#define IPCFS_JOB_PLACE_H

#include <time.h>

#include "lib/base/workers.h"
#include "lib/host/child.h"
#include "lib/host/job.h"

enum job_state {
	JOB_QUEUED,  /* behind another process of its user's */
	JOB_RUNNING, /* a process or thread is at it */
	JOB_DONE,
};

struct job {
	struct host *host;
	struct waiter *waiter; /* NULL: nobody wants the result any more */
	struct caller caller;
	enum job_state state;
	struct job_call call; /* data: the job's own copy of what went in */
	void *data;           /* what act() works on; of a process it is child::shared */
	int result;
	bool is_stopped;
	struct child child;
	struct worker_task task;
	struct loop_task tell;   /* of a job that was stopped before it began */
	int64_t until;           /* job_call::most; clock_now() */
	struct timespec left;    /* when its waiter left a process alone; CLOCK_MONOTONIC */
	struct job *prev, *next; /* host::jobs */
};

/* Is it the caller that is at it, and not the daemon itself? */
static inline bool job_place_is_callers(enum job_place place)
{
	return place == JOB_PROCESS || place == JOB_THREAD;
}

/* May it go on for nobody? */
static inline bool job_place_is_left(enum job_place place)
{
	return job_place_is_callers(place) || place == JOB_ALONE;
}

/* In job.c: it is done, or can't be. */
void job_done(struct job *job, int result);

/* Its time is over: the waiter has its result, and whatever it does yet is undone. -ENOMEM */
int job_expire(struct job *job);

/* In job_clock.c: has it expire. */
void job_clock_add(struct job *job);

/*
 * Prepares a job that is all zeroes but for its host and call, and frees what it has of its place
 * in the end.
 */
void job_place_init(struct job *job);
void job_place_fini(struct job *job);

/* Has it done, or puts it behind its user's process. -EBUSY: that one is left alone and stays. */
int job_place_start(struct job *job);

/* After a process of this user's has gone: the next one begins. */
void job_place_next(struct host *host, uid_t uid);

/* Nobody waits for it any more. True: a thread or process is still at it. */
bool job_place_leave(struct job *job);

/* Asks one of the daemon's own to end: job_done() follows. */
void job_place_stop(struct job *job);

#endif
