/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work that is done elsewhere than on the loop, for a request that waits for it.
 *
 * One vocabulary holds everywhere. A call that can't be answered at once returns -EAGAIN and has
 * done nothing: hold the request and call again. A held request has a waiter, which it hands in
 * with the caller (caller::waiter) or the open file (file::waiter). With a waiter the call starts
 * a job and returns -EINPROGRESS. When the job is done the waiter is resumed; it calls the step
 * again that said so, and there job_run() has the result. A step is never begun twice for another
 * reason, and what earlier steps have done stays done.
 *
 * A job belongs to its waiter alone: two requests for the same thing are two jobs, and nobody
 * takes another's result. A waiter has one job at a time.
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
	 * system calls. A user has one at a time, and the others queue behind it: a user who stops
	 * it keeps nobody else from anything.
	 */
	JOB_PROCESS,
	/* A thread with the caller's rights, which may sleep for ever: host::walkers. */
	JOB_THREAD,
	/*
	 * A thread of the daemon's own that sleeps in one system call: host::sleepers. Interrupted,
	 * it tells whether the call was made.
	 */
	JOB_SLEEPER,
	/*
	 * A thread of the daemon's own, for what takes long but ends: host::workers. Once begun it
	 * is not given up.
	 */
	JOB_WORKER,
	/*
	 * A thread of the daemon's own, for what somebody else may keep from ever ending:
	 * host::lockers. When the mount ends it is left alone.
	 */
	JOB_ALONE,
};

#define JOB_LONG_MOST  16
#define JOB_ALIKE_MOST 2

/* What is to be done. */
struct job_call {
	enum job_place place;
	/*
	 * JOB_THREAD: caller_root() is the caller's root directory, or -1 if the daemon itself is
	 * the caller. -EPERM if it can't be seen.
	 */
	bool walks;
	/*
	 * JOB_THREAD: has much to do, and takes the processor from others; so of a user's no more
	 * than JOB_LONG_MOST run at a time.
	 */
	bool is_long;
	bool as_caller; /* JOB_SLEEPER: act() has the rights of the caller */
	/* JOB_ALONE: it is short, as a rule, so it is not given up for a signal. */
	bool is_final;
	/* JOB_ALONE: nanoseconds after which it is -ETIMEDOUT, and goes on for nobody. 0: never */
	int64_t most;
	/*
	 * And that is it at once while one like it goes on for nobody; and with JOB_ALIKE_MOST of
	 * them it is -EBUSY: however many ask the same, no more threads than that are lost.
	 */
	bool is_single;
	int (*act)(void *data); /* 0 or -errno */
	/*
	 * Goes in, and comes out again with the result. It tells one call from another, byte for
	 * byte: what goes in has no padding that is not zero, and is the same when called again.
	 */
	void *data;
	size_t size;
	size_t n_key; /* bytes at its beginning that tell one call from another; 0: all */
	/*
	 * On the loop: undoes what a successful act() did, if nobody takes it; and what a process
	 * did that was killed, which may be nothing. NULL: nothing.
	 */
	void (*undo)(struct host *host, struct caller *caller, void *data);
};

/* Part of whatever waits: a held request, a command. All zeroes but for resume(). */
struct waiter {
	void (*resume)(struct waiter *waiter); /* on the loop: its job is done */
	struct job *job;
	/* What the steps of one request have to remember between them; freed by forget(). */
	void *memory;
	void (*forget)(void *memory);
};

/*
 * Has call->act(call->data) called for the caller. -EINPROGRESS: it is under way for
 * caller->waiter. -EAGAIN: the caller has no waiter, and nothing was started. Otherwise the result
 * of act(), or why it could not be called: -ENOBUFS, -ENOMEM, -ENOTCONN (the mount ends), -ELOOP
 * (one of the daemon's own threads asks for a walk), -EBUSY (the user has stopped
 * the process before it), -EPERM (only root's daemon can be the caller). Where act() itself returns
 * -EAGAIN or -EINPROGRESS it is -EIO.
 *
 * Where no other place is needed act() is called at once: JOB_PROCESS if the daemon is the caller
 * itself, JOB_WORKER before it serves, JOB_THREAD if both hold.
 */
int job_run(struct host *host, struct caller *caller, const struct job_call *call);

/*
 * Takes the result of the waiter's job, if that is done and was one of act()'s, whatever its data
 * were: for a step that must not begin again, even if other data would now belong to it.
 */
bool job_take_result(struct waiter *waiter, int (*act)(void *data), int *ret_result);

/* Does a result only say that it has to be waited for? */
static inline bool job_is_awaited(int result)
{
	return result == -EAGAIN || result == -EINPROGRESS;
}

/* Has the waiter's job been done, so that its result is there to be taken? */
bool job_is_done(const struct waiter *waiter);

/*
 * A signal has come for what waits. True: the job can't be given up, or is ending now: resume()
 * follows, and the result tells what was done. False: there is no such job, waiter_fini() will do.
 */
bool job_stop(struct waiter *waiter);

/*
 * Gives the waiter's job and memory up: resume() does not follow, and what the job has done is
 * undone. A thread that is at it ends in its own time.
 */
void waiter_fini(struct waiter *waiter);

/*
 * The mount ends: nothing is started any more, and all that wait for a process or a walking thread
 * are resumed, and get -ENOTCONN.
 */
void job_end_all(struct host *host);

/* For the host: the clock of job_call::most. -EMFILE, -ENOMEM */
int job_clock_init(struct host *host);
void job_clock_fini(struct host *host);

#endif
