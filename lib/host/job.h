/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work that is done off the loop, for a request that waits for it.
 *
 * One vocabulary holds everywhere. A call that can't be answered at once returns -EAGAIN and has
 * done nothing: hold the request and call again. A held request has a waiter, which it passes with
 * the caller (caller::waiter) or the open file (file::waiter). With a waiter, the call starts a job
 * and returns -EINPROGRESS. When the job is done, the waiter is resumed: it repeats the step that
 * made the call, and this time job_run() returns the result. A step is never begun twice for any
 * other reason, and what earlier steps have done stays done.
 *
 * A job belongs to its waiter alone: two requests for the same thing are two jobs, and neither
 * takes the other's result. A waiter has one job at a time.
 */
#ifndef IPCFS_JOB_H
#define IPCFS_JOB_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/host/caller.h"
#include "lib/host/host.h"

struct job;

enum job_place {
	/*
	 * A process that is the caller in every respect (lib/host/child.h); act() may only make
	 * system calls. A user has one such process at a time, and the user's other such jobs
	 * queue behind it: a user who stops the process holds up nobody else.
	 */
	JOB_PROCESS,
	/* A thread with the caller's rights, which may sleep for ever: host::walkers. */
	JOB_THREAD,
	/*
	 * One of the daemon's own threads, which sleeps in one system call: host::sleepers. When
	 * the thread is interrupted, the result tells whether the call was made.
	 */
	JOB_SLEEPER,
	/*
	 * One of the daemon's own threads, for work that takes a long time but ends: host::workers.
	 * A job that has begun is not given up.
	 */
	JOB_WORKER,
	/*
	 * One of the daemon's own threads, for calls that somebody else may keep from ever ending:
	 * host::lockers. When the mount ends, nothing waits long for such a thread.
	 */
	JOB_ALONE,
	/*
	 * On another machine: begin() asks for it, and job_end() brings the answer, both on the
	 * loop. act() only tells the call from others, and is never called.
	 */
	JOB_ELSEWHERE,
};

/* The limits of job_call::is_long and job_call::is_single. */
#define JOB_LONG_MOST  16
#define JOB_ALIKE_MOST 2

/* What a job does, and where. */
struct job_call {
	enum job_place place;
	/*
	 * JOB_THREAD: opens the caller's root directory for caller_root(), which is -1 if the
	 * daemon itself is the caller. Fails with -EPERM if the caller can't be seen.
	 */
	bool walks;
	/*
	 * JOB_THREAD: the job has a lot to do, and takes the processor from others. So no more than
	 * JOB_LONG_MOST such jobs of a user run at a time.
	 */
	bool is_long;
	bool as_caller; /* JOB_SLEEPER: act() has the rights of the caller */
	/*
	 * JOB_PROCESS: a descriptor that act() finds under the same number; 0: none. It need not
	 * stay open after the waiter has given up.
	 */
	int kept_fd;
	/*
	 * JOB_ALONE, JOB_PROCESS: the job is usually short, so a request that gets a signal while
	 * the job runs still waits for it.
	 */
	bool is_final;
	/*
	 * JOB_ALONE: nanoseconds after which the waiter gets -ETIMEDOUT, and the job continues
	 * without the waiter. 0: no limit. (JOB_ELSEWHERE: begin() sees to that.)
	 */
	int64_t most;
	/*
	 * JOB_ALONE: limits how many threads the same call can lose, however many requests make it.
	 * The call fails at once with -ETIMEDOUT while an earlier job for it runs without a waiter,
	 * and with -EBUSY while JOB_ALIKE_MOST jobs for it run.
	 */
	bool is_single;
	/*
	 * JOB_ELSEWHERE: starts the work on `data`, the job's own copy, which lives as long as the
	 * job. Returns 0, and later, not before begin() has returned, either job_end() or leave()
	 * is called, once. Or fails with -errno: nothing was started.
	 */
	int (*begin)(struct job *job, struct host *host, void *data);
	/*
	 * JOB_ELSEWHERE: the waiter has given up, and the job is freed after this: neither `job`
	 * nor `data` may be used any more. What should not stay half done goes on without them.
	 */
	void (*leave)(struct host *host, void *data);
	int (*act)(void *data); /* returns 0 or -errno */
	/*
	 * The input of act(), and with the result, its output. The bytes of the input tell one call
	 * from another: any padding must be zero, and the input must be the same when the step is
	 * repeated.
	 */
	void *data;
	size_t size;
	size_t n_key; /* bytes at the start of `data` that tell calls apart; 0: all */
	/*
	 * Called on the loop: undoes what a successful act() did if nobody takes the result. Also
	 * called if the process was killed; then act() may have done nothing. JOB_ELSEWHERE: only
	 * called after job_end() with success. NULL: there is nothing to undo.
	 */
	void (*undo)(struct host *host, struct caller *caller, void *data);
};

/* Part of whatever waits: a held request, a command. All zeroes at first, except resume(). */
struct waiter {
	void (*resume)(struct waiter *waiter); /* called on the loop when the job is done */
	struct job *job;
	/* What the steps of one request have to remember in between; freed by forget(). */
	void *memory;
	void (*forget)(void *memory);
};

/*
 * Calls call->act(call->data) for the caller. Returns -EINPROGRESS if the job is under way for
 * caller->waiter, or -EAGAIN if the caller has no waiter; then nothing was started. Otherwise
 * returns the result of act(), or -EIO if that is -EAGAIN or -EINPROGRESS.
 *
 * If act() can't be called, fails with -ENOBUFS or -ENOMEM; with -ENOTCONN if the mount ends; with
 * -ELOOP if one of the daemon's own threads asks for a walk; with -EBUSY if the user has stopped an
 * earlier process; with -EPERM if the daemon would have to be root to act as the caller; or as
 * job_call says above.
 *
 * Also before the mount serves requests, a call for JOB_ELSEWHERE fails with -EAGAIN if it has no
 * waiter.
 *
 * If no other place is needed, act() is called at once. This is so for JOB_PROCESS if the daemon is
 * the caller itself, for JOB_WORKER and JOB_ALONE before the mount serves requests, and for
 * JOB_THREAD if both hold.
 */
int job_run(struct host *host, struct caller *caller, const struct job_call *call);

/*
 * Ends a job of JOB_ELSEWHERE whose leave() was not called, and resumes its waiter. The output is
 * in the job's data by then. The job may be freed before this returns.
 */
void job_end(struct job *job, int result);

/*
 * Takes the result of the waiter's job, if the job is done and its function was act(), whatever its
 * data were. For a step that must not begin again, even if its data would now be different.
 */
bool job_take_result(struct waiter *waiter, int (*act)(void *data), int *ret_result);

/* Whether a result only means that the caller has to wait. */
static inline bool job_is_awaited(int result)
{
	return result == -EAGAIN || result == -EINPROGRESS;
}

/* Whether the waiter's job is done, so that its result can be taken. */
bool job_is_done(const struct waiter *waiter);

/*
 * Called when a signal has come for the waiting request. Returns true if its job can't be given up
 * or is ending now: resume() follows, and the result tells what was done. Returns false if there is
 * no such job; then waiter_fini() is enough.
 */
bool job_stop(struct waiter *waiter);

/*
 * Gives up the waiter's job and memory: resume() does not follow, and what the job has done is
 * undone. A thread that still runs the job ends when it can.
 */
void waiter_fini(struct waiter *waiter);

/*
 * Ends jobs because the mount ends. No job is started any more, and every waiter for a process, a
 * walker, a locker or another machine is resumed and gets -ENOTCONN.
 */
void job_end_all(struct host *host);

/*
 * For the host: starts and stops the clock for job_call::most. job_clock_init() fails with -EMFILE
 * or -ENOMEM.
 */
int job_clock_init(struct host *host);
void job_clock_fini(struct host *host);

#endif
