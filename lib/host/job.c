// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/host/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/workers.h"
#include "lib/host/child.h"

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
	struct job *prev, *next; /* host::jobs */
};

static void job_free(struct job *job)
{
	loop_cancel(job->host->loop, &job->tell);
	DL_DELETE(job->host->jobs, job);
	if (job->call.place == JOB_PROCESS)
		child_fini(&job->child);
	else
		free(job->data);
	caller_fini(&job->caller);
	free(job->call.data);
	free(job);
}

static struct workers *job_workers(const struct job *job)
{
	switch (job->call.place) {
	case JOB_THREAD:
		return job->host->walkers;
	case JOB_SLEEPER:
		return job->host->sleepers;
	default:
		return job->host->workers;
	}
}

/* Threads that may sleep for ever are charged to the user. */
static bool is_charged(const struct job *job)
{
	return job->call.place == JOB_THREAD || job->call.place == JOB_SLEEPER;
}

/* Is it the caller that is at it, and not the daemon itself? */
static bool is_callers(enum job_place place)
{
	return place == JOB_PROCESS || place == JOB_THREAD;
}

/* Nobody takes the result: as if it had not been. */
static void job_undo(struct job *job)
{
	if (job->result >= 0 && job->call.undo && job->data)
		job->call.undo(job->host, &job->caller, job->data);
	job_free(job);
}

/* Processes: one of a user's at a time. */

static int start_process(struct job *job)
{
	int r;

	job->state = JOB_RUNNING;
	r = child_start(&job->child, job->host->loop, &job->caller, job->call.act, job->call.data,
			job->call.size);
	return r == -EAGAIN ? -ENOBUFS : r; /* fork(2) */
}

/* A process of this user's with the state, or NULL. */
static struct job *find_process(struct host *host, uid_t uid, enum job_state state)
{
	struct job *job;

	DL_FOREACH(host->jobs, job) {
		if (job->call.place == JOB_PROCESS && job->caller.uid == uid && job->state == state)
			return job;
	}
	return NULL;
}

static void start_next_process(struct host *host, uid_t uid)
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

static void job_done(struct job *job, int result)
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
		start_next_process(host, uid);
}

static void job_run_tell(struct loop_task *task)
{
	struct job *job = CONTAINER_OF(task, struct job, tell);

	job_done(job, job->result);
}

static void child_done(struct child *child, int result)
{
	struct job *job = CONTAINER_OF(child, struct job, child);

	job->data = child->shared;
	job_done(job, result);
}

/* Threads. */

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
		else if (job->call.place == JOB_THREAD)
			job->result = act_as_caller(job);
		else
			job->result = job->call.act(job->data);
	} while (job->call.place == JOB_SLEEPER && job->result == -EINTR && !task->is_interrupted);
}

static void work_done(struct worker_task *task)
{
	struct job *job = CONTAINER_OF(task, struct job, task);

	if (is_charged(job))
		host_slept(job->host, job->caller.uid);
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
	job->task = (struct worker_task){.work = job_work, .done = work_done};
	if (is_charged(job))
		return host_sleep(job->host, job_workers(job), job->caller.uid, &job->task);
	r = job_workers(job) ? workers_submit(job_workers(job), &job->task) : -EAGAIN;
	return r < 0 ? -ENOBUFS : 0;
}

/* Frees a job that can't be started. */
static int job_start(struct job *job)
{
	int r = 0;

	if (job->call.place != JOB_PROCESS)
		r = start_thread(job);
	else if (!find_process(job->host, job->caller.uid, JOB_RUNNING))
		r = start_process(job);
	if (r < 0)
		job_free(job);
	return r;
}

/* Only who acts as the caller has to know all of it, which takes a look at /proc. */
static int copy_caller(struct job *job, struct caller *caller)
{
	if (is_callers(job->call.place))
		return caller_copy(&job->caller, caller);
	job->caller = (struct caller){.uid = caller->uid, .gid = caller->gid};
	return 0;
}

static int job_new(struct host *host, struct caller *caller, const struct job_call *call,
		   struct job **ret_job)
{
	struct job *job = calloc(1, sizeof(*job));
	int r;

	if (!job)
		return -ENOMEM;
	job->host = host;
	job->child = (struct child){.loop = host->loop, .end.fd = -1, .done = child_done};
	job->tell.run = job_run_tell;
	job->call = *call;
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

/* Is this the call that the job was started for? */
static bool is_same(const struct job *job, const struct job_call *call)
{
	return job->call.act == call->act && job->call.size == call->size &&
	       memcmp(job->call.data, call->data, call->size) == 0;
}

/*
 * A call may fail with an error that to us means waiting: who serves a filesystem chooses what is
 * said of its files. Taken at its word, a request would wait for what never comes.
 */
static int job_error(int result)
{
	return job_is_awaited(result) ? -EIO : result;
}

static int job_take(struct job *job, void *ret_data)
{
	int r = job_error(job->result);

	if (job->data)
		memcpy(ret_data, job->data, job->call.size);
	job->waiter->job = NULL;
	job_free(job);
	return r;
}

/* Can it be done here and now? */
static bool is_needless(const struct host *host, struct caller *caller, enum job_place place)
{
	if (place == JOB_SLEEPER)
		return false;
	if (place == JOB_WORKER)
		return !host->is_serving;
	return child_is_needless(caller) && (place == JOB_PROCESS || !host->is_serving);
}

/* Of a job that nobody waits for any more: true if a thread or process still is at it. */
static bool is_still_running(struct job *job)
{
	struct workers *workers = job_workers(job);

	if (job->state != JOB_RUNNING || job->tell.is_queued)
		return false;
	/* One that may have to be undone runs to its end; the child knows how to end the others. */
	if (job->call.place == JOB_PROCESS)
		return job->call.undo && !job->host->is_ending;
	if (!workers)
		return false;
	if (workers_cancel(workers, &job->task)) {
		if (is_charged(job))
			host_slept(job->host, job->caller.uid);
		return false;
	}
	if (is_charged(job))
		workers_interrupt(workers, &job->task);
	return true;
}

static void job_drop(struct job *job)
{
	struct host *host = job->host;
	uid_t uid = job->caller.uid;
	bool is_process = job->call.place == JOB_PROCESS;

	job->waiter = NULL;
	if (job->state == JOB_DONE)
		job_undo(job);
	else if (!is_still_running(job))
		job_free(job);
	if (is_process)
		start_next_process(host, uid);
}

static void waiter_drop_job(struct waiter *waiter)
{
	if (waiter->job)
		job_drop(TAKE_PTR(waiter->job));
}

int job_run(struct host *host, struct caller *caller, const struct job_call *call)
{
	struct waiter *waiter = caller->waiter;
	struct job *job = NULL;
	int r;

	if (waiter && waiter->job && is_same(waiter->job, call))
		return job_is_done(waiter) ? job_take(waiter->job, call->data) : -EINPROGRESS;
	if (waiter)
		waiter_drop_job(waiter); /* of a step that came to something else */
	if (is_callers(call->place) && geteuid() != 0 && caller->uid != geteuid())
		return -EPERM;
	if (is_needless(host, caller, call->place))
		return job_error(call->act(call->data));
	if (host->is_ending)
		return -ENOTCONN;
	if (call->place == JOB_THREAD && caller_is_ours(caller))
		return -ELOOP;
	if (!waiter)
		return -EAGAIN;
	r = job_new(host, caller, call, &job);
	if (r == 0)
		r = job_start(job);
	if (r < 0)
		return r;
	job->waiter = waiter;
	waiter->job = job;
	return -EINPROGRESS;
}

bool job_is_done(const struct waiter *waiter)
{
	return waiter && waiter->job && waiter->job->state == JOB_DONE;
}

bool job_stop(struct waiter *waiter)
{
	struct job *job = waiter->job;

	if (!job || is_callers(job->call.place))
		return false;
	if (job->is_stopped || job->state == JOB_DONE)
		return true;
	job->is_stopped = true;
	if (workers_cancel(job_workers(job), &job->task)) {
		if (is_charged(job))
			host_slept(job->host, job->caller.uid);
		job->result = -EINTR;
		loop_defer(job->host->loop, &job->tell);
	} else if (job->call.place == JOB_SLEEPER) {
		workers_interrupt(job_workers(job), &job->task);
	}
	return true;
}

void waiter_fini(struct waiter *waiter)
{
	waiter_drop_job(waiter);
	if (waiter->memory)
		waiter->forget(TAKE_PTR(waiter->memory));
}

/* What is resumed may change the list, so each time the search begins anew. */
void job_end_all(struct host *host)
{
	struct job *job, *next;

	host->is_ending = true;
	do {
		DL_FOREACH(host->jobs, job) {
			struct waiter *waiter = job->waiter;

			if (!waiter || !is_callers(job->call.place))
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
