// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Processes and threads that run jobs. A user may stop such a process, or make a thread sleep for
 * ever. The rules here keep that from costing other users anything.
 */
#include "lib/host/job_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"

/*
 * How long a process without a waiter may take, seconds, before its user is refused another
 * process.
 */
#define LEFT_MOST 1
/* How long a user who has stopped a process is refused another process, seconds. */
#define STOPPED_MOST 2

static struct workers *job_workers(const struct job *job)
{
	switch (job->call.place) {
	case JOB_THREAD:
		return job->host->walkers;
	case JOB_ALONE:
		return job->host->lockers;
	case JOB_SLEEPER:
		return job->host->sleepers;
	default:
		return job->host->workers;
	}
}

/* Whether the job's thread is charged to the user: all threads that may sleep for ever are. */
static bool is_charged(const struct job *job)
{
	return job->call.place != JOB_WORKER;
}

static void job_unpay(struct job *job)
{
	if (job->call.place == JOB_ALONE)
		host_locked(job->host, job->caller.uid);
	else
		host_slept(job->host, job->caller.uid);
}

/* What jobs of JOB_PROCESS do: one process at a time for each user. */

/*
 * Remembers a user who has stopped a process. Such a user wants others to wait behind the lock that
 * the kernel holds for the process, and may have many more processes in line, so these are refused
 * at once. The table is small: a user who is pushed out of it is merely forgotten.
 */
static void note_stopper(struct host *host, uid_t uid)
{
	host->last_stopper = (host->last_stopper + 1) % HOST_STOPPERS;
	host->stoppers[host->last_stopper] = (struct stopper){
		.uid = uid, .until = (time_t)(clock_now() / CLOCK_S) + STOPPED_MOST};
}

static bool is_stopper(const struct host *host, uid_t uid)
{
	time_t now = (time_t)(clock_now() / CLOCK_S);

	for (unsigned i = 0; i < HOST_STOPPERS; i++)
		if (host->stoppers[i].uid == uid && now < host->stoppers[i].until)
			return true;
	return false;
}

static void child_done(struct child *child, int result)
{
	struct job *job = CONTAINER_OF(child, struct job, child);

	if (child->was_stopped)
		note_stopper(job->host, job->caller.uid);
	/* The process may have been killed after it had done its work. */
	if (result == -EINTR && job->call.undo)
		job->call.undo(job->host, &job->caller, child->shared);
	job->data = child->shared;
	job_done(job, result);
}

static int start_process(struct job *job)
{
	int r;

	if (is_stopper(job->host, job->caller.uid))
		return -EBUSY;
	job->state = JOB_RUNNING;
	r = child_start(&job->child, job->host->loop, &job->caller, job->call.act, job->call.data,
			job->call.size);
	return r == -EAGAIN ? -ENOBUFS : r; /* -EAGAIN of fork(2) */
}

/* Finds a process of this user in that state, or NULL. */
static struct job *find_process(struct host *host, uid_t uid, enum job_state state)
{
	struct job *job;

	DL_FOREACH(host->jobs, job) {
		if (job->call.place == JOB_PROCESS && job->caller.uid == uid &&
		    job->state == state && !job->tell.is_queued)
			return job;
	}
	return NULL;
}

void job_place_next(struct host *host, uid_t uid)
{
	struct job *next = NULL;

	if (!host->is_ending && !find_process(host, uid, JOB_RUNNING))
		next = find_process(host, uid, JOB_QUEUED);
	if (!next)
		return;
	next->result = start_process(next);
	if (next->result < 0)
		loop_defer(host->loop, &next->tell);
}

/* Whether the process keeps running without a waiter, because its user has stopped it. */
static bool is_left(const struct job *job)
{
	return !job->waiter && (time_t)(clock_now() / CLOCK_S) > job->left.tv_sec + LEFT_MOST;
}

static int queue_process(struct job *job)
{
	struct job *running = find_process(job->host, job->caller.uid, JOB_RUNNING);

	if (!running)
		return start_process(job);
	return is_left(running) ? -EBUSY : 0;
}

/* What jobs of all other places do: they run on threads. */

static int act_as_caller(struct job *job)
{
	int r = caller_enter(&job->caller);

	if (r < 0)
		return r;
	r = job->call.act(job->data);
	caller_leave();
	return r;
}

static void job_work(struct worker_task *task)
{
	struct job *job = CONTAINER_OF(task, struct job, task);

	do {
		if (task->is_interrupted)
			job->result = -EINTR;
		else if (job->call.place == JOB_THREAD || job->call.as_caller)
			job->result = act_as_caller(job);
		else
			job->result = job->call.act(job->data);
	} while (job->call.place == JOB_SLEEPER && job->result == -EINTR && !task->is_interrupted);
}

static void work_done(struct worker_task *task)
{
	struct job *job = CONTAINER_OF(task, struct job, task);

	if (is_charged(job))
		job_unpay(job);
	job_done(job, job->result);
}

static int start_thread(struct job *job)
{
	int r;

	job->state = JOB_RUNNING;
	job->data = malloc(job->call.size);
	if (!job->data)
		return -ENOMEM;
	memcpy(job->data, job->call.data, job->call.size);
	job->task = (struct worker_task){.work = job_work,
					 .done = work_done,
					 .owner = job->caller.uid,
					 .share = job->call.is_long ? JOB_LONG_MOST : 0};
	if (job->call.place == JOB_ALONE)
		return host_lock(job->host, job->caller.uid, &job->task);
	if (is_charged(job))
		return host_sleep(job->host, job_workers(job), job->caller.uid, &job->task);
	r = job_workers(job) ? workers_submit(job_workers(job), &job->task) : -EAGAIN;
	return r < 0 ? -ENOBUFS : 0;
}

/* What jobs of JOB_ELSEWHERE do: they only wait. */

static int start_elsewhere(struct job *job)
{
	int r;

	job->state = JOB_RUNNING;
	r = job->call.begin(job, job->host, job->call.data);
	return r == -EAGAIN ? -EIO : r;
}

/* For all of them alike. */

void job_place_init(struct job *job)
{
	job->child = (struct child){.loop = job->host->loop,
				    .end.fd = -1,
				    .timer.fd = -1,
				    .done = child_done,
				    .kept_fd = job->call.kept_fd};
}

void job_place_fini(struct job *job)
{
	if (job->call.place == JOB_PROCESS)
		child_fini(&job->child);
	else
		free(job->data);
}

int job_place_start(struct job *job)
{
	switch (job->call.place) {
	case JOB_PROCESS:
		return queue_process(job);
	case JOB_ELSEWHERE:
		return start_elsewhere(job);
	default:
		return start_thread(job);
	}
}

static bool cancel(struct job *job)
{
	if (!workers_cancel(job_workers(job), &job->task))
		return false;
	if (is_charged(job))
		job_unpay(job);
	return true;
}

bool job_place_leave(struct job *job)
{
	if (job->state != JOB_RUNNING || job->tell.is_queued)
		return false;
	/*
	 * A process whose work may have to be undone is left to finish; child_fini() kills any
	 * other.
	 */
	if (job->call.place == JOB_PROCESS) {
		clock_gettime(CLOCK_MONOTONIC, &job->left);
		return job->call.undo && !job->host->is_ending;
	}
	if (job->call.place == JOB_ELSEWHERE) {
		job->call.leave(job->host, job->call.data);
		return false;
	}
	if (!job_workers(job) || cancel(job))
		return false;
	if (is_charged(job))
		workers_interrupt(job_workers(job), &job->task);
	return true;
}

void job_place_stop(struct job *job)
{
	if (cancel(job)) {
		job->result = -EINTR;
		loop_defer(job->host->loop, &job->tell);
	} else if (job->call.place == JOB_SLEEPER) {
		workers_interrupt(job_workers(job), &job->task);
	}
}
