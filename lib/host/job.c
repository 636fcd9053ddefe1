// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The life of a job. A job is started, its waiter is resumed and takes the result; or the waiter
 * gives up, and the job is undone when it ends. job_place.c decides where the job runs.
 */
#include "lib/host/job.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/host/child.h"
#include "lib/host/job_place.h"

static void job_free(struct job *job)
{
	loop_cancel(job->host->loop, &job->tell);
	DL_DELETE(job->host->jobs, job);
	job_place_fini(job);
	caller_fini(&job->caller);
	free(job->call.data);
	free(job);
}

/* What the job has worked on, its output included; NULL: it has not begun. */
static void *job_output(const struct job *job)
{
	return job->call.place == JOB_ELSEWHERE ? job->call.data : job->data;
}

/* Undoes what a job has done, because nobody takes its result, and frees the job. */
static void job_undo(struct job *job)
{
	if (job->result >= 0 && job->call.undo && job_output(job))
		job->call.undo(job->host, &job->caller, job_output(job));
	job_free(job);
}

void job_done(struct job *job, int result)
{
	bool is_process = job->call.place == JOB_PROCESS;
	struct host *host = job->host;
	uid_t uid = job->caller.uid;

	job->state = JOB_DONE;
	job->result = result;
	if (job->waiter)
		job->waiter->resume(job->waiter);
	else
		job_undo(job);
	if (is_process)
		job_place_next(host, uid);
}

void job_end(struct job *job, int result)
{
	assert(job->call.place == JOB_ELSEWHERE && job->state == JOB_RUNNING && job->waiter);
	job_done(job, result);
}

static void job_run_tell(struct loop_task *task)
{
	struct job *job = CONTAINER_OF(task, struct job, tell);

	job_done(job, job->result);
}

/*
 * Gives the job its copy of the caller. Only a job that acts as the caller needs more than the ids;
 * the rest is read from /proc.
 */
static int copy_caller(struct job *job, struct caller *caller)
{
	int r;

	if (!job_place_is_callers(job->call.place) && !job->call.as_caller) {
		job->caller = (struct caller){.uid = caller->uid, .gid = caller->gid};
		return 0;
	}
	if (job->call.place == JOB_PROCESS)
		caller_queue_limit(caller);
	r = caller_copy(&job->caller, caller);
	return r == 0 && job->call.walks ? caller_open_root(&job->caller) : r;
}

static int job_new(struct host *host, struct caller *caller, const struct job_call *call,
		   struct job **ret_job)
{
	struct job *job = calloc(1, sizeof(*job));
	int r;

	if (!job)
		return -ENOMEM;
	job->host = host;
	job->tell.run = job_run_tell;
	job->call = *call;
	job_place_init(job);
	DL_APPEND(host->jobs, job);
	job->call.data = malloc(call->size);
	r = job->call.data ? copy_caller(job, caller) : -ENOMEM;
	if (r < 0) {
		job_free(job);
		return r;
	}
	memcpy(job->call.data, call->data, call->size);
	*ret_job = job;
	return 0;
}

int job_expire(struct job *job)
{
	struct job *told;
	int r = job_new(job->host, &job->caller, &job->call, &told);

	if (r < 0)
		return r;
	told->state = JOB_DONE;
	told->result = -ETIMEDOUT;
	told->waiter = TAKE_PTR(job->waiter);
	told->waiter->job = told;
	told->waiter->resume(told->waiter);
	return 0;
}

/* Whether this is the call that the job was started for. */
static bool is_same(const struct job *job, const struct job_call *call)
{
	return job->call.act == call->act && job->call.size == call->size &&
	       memcmp(job->call.data, call->data, call->n_key ? call->n_key : call->size) == 0;
}

/*
 * Returns the result of act(), with errors that mean waiting here turned into -EIO. Whoever serves
 * a filesystem chooses its errors, and may choose such an error. If we took it at its word, the
 * request would wait for something that never comes.
 */
static int job_error(int result)
{
	return job_is_awaited(result) ? -EIO : result;
}

static int job_take(struct job *job, void *ret_data)
{
	const void *data = job_output(job);
	int r = job_error(job->result);

	if (data && ret_data)
		memcpy(ret_data, data, job->call.size);
	job->waiter->job = NULL;
	job_free(job);
	return r;
}

bool job_take_result(struct waiter *waiter, int (*act)(void *data), int *ret_result)
{
	if (!job_is_done(waiter) || waiter->job->call.act != act)
		return false;
	*ret_result = job_take(waiter->job, NULL);
	return true;
}

/* Whether act() can be called at once, on this thread. */
static bool is_needless(const struct host *host, struct caller *caller, enum job_place place)
{
	if (place == JOB_SLEEPER || place == JOB_ELSEWHERE)
		return false;
	if (place == JOB_WORKER || place == JOB_ALONE)
		return !host->is_serving;
	return child_is_needless(caller) && (place == JOB_PROCESS || !host->is_serving);
}

static void job_drop(struct job *job)
{
	struct host *host = job->host;
	uid_t uid = job->caller.uid;
	bool is_process = job->call.place == JOB_PROCESS;

	job->waiter = NULL;
	if (job->state == JOB_DONE)
		job_undo(job);
	else if (!job_place_leave(job))
		job_free(job);
	if (is_process)
		job_place_next(host, uid);
}

static void waiter_drop_job(struct waiter *waiter)
{
	if (waiter->job)
		job_drop(TAKE_PTR(waiter->job));
}

/*
 * Looks for running jobs with the same call. Fails with -ETIMEDOUT if a job among them has no
 * waiter any more, or with -EBUSY if there are too many.
 */
static int check_single(const struct host *host, const struct job_call *call)
{
	const struct job *job;
	unsigned n = 0;

	DL_FOREACH(host->jobs, job) {
		if (job->state != JOB_RUNNING || !is_same(job, call))
			continue;
		if (!job->waiter)
			return -ETIMEDOUT;
		n++;
	}
	return n < JOB_ALIKE_MOST ? 0 : -EBUSY;
}

int job_run(struct host *host, struct caller *caller, const struct job_call *call)
{
	struct waiter *waiter = caller->waiter;
	struct job *job;
	int r;

	if (waiter && waiter->job && is_same(waiter->job, call))
		return job_is_done(waiter) ? job_take(waiter->job, call->data) : -EINPROGRESS;
	if (waiter)
		waiter_drop_job(waiter); /* the step has come to another call this time */
	if (job_place_is_callers(call->place) && geteuid() != 0 && caller->uid != geteuid())
		return -EPERM;
	if (is_needless(host, caller, call->place))
		return job_error(call->act(call->data));
	if (host->is_ending)
		return -ENOTCONN;
	/*
	 * A walk may lead into the mount again, which needs another walk, and so on. A job that
	 * walks nowhere comes to an end.
	 */
	if (call->walks && caller_is_ours(caller))
		return -ELOOP;
	r = call->is_single ? check_single(host, call) : 0;
	if (r < 0)
		return r;
	if (!waiter)
		return -EAGAIN;
	r = job_new(host, caller, call, &job);
	if (r < 0)
		return r;
	r = job_place_start(job);
	if (r < 0) {
		job_free(job);
		return r;
	}
	job->waiter = waiter;
	waiter->job = job;
	if (call->most)
		job_clock_add(job);
	return -EINPROGRESS;
}

bool job_is_done(const struct waiter *waiter)
{
	return waiter && waiter->job && waiter->job->state == JOB_DONE;
}

bool job_stop(struct waiter *waiter)
{
	struct job *job = waiter->job;

	if (job && job->call.is_final && job->state != JOB_QUEUED)
		return true;
	if (!job || job_place_is_left(job->call.place))
		return false;
	if (job->is_stopped || job->state == JOB_DONE)
		return true;
	job->is_stopped = true;
	job_place_stop(job);
	return true;
}

void waiter_fini(struct waiter *waiter)
{
	waiter_drop_job(waiter);
	if (waiter->memory)
		waiter->forget(TAKE_PTR(waiter->memory));
}

/* A resumed waiter may change the list, so the search starts over each time. */
void job_end_all(struct host *host)
{
	struct job *job, *next;

	host->is_ending = true;
	do {
		DL_FOREACH(host->jobs, job) {
			struct waiter *waiter = job->waiter;

			if (!waiter || !job_place_is_left(job->call.place))
				continue;
			waiter->job = NULL;
			job_drop(job);
			waiter->resume(waiter);
			break;
		}
	} while (job);
	DL_FOREACH_SAFE(host->jobs, job, next) {
		if (job->call.place == JOB_PROCESS)
			job_free(job);
	}
}
