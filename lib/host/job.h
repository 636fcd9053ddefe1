/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Work that is done off the loop, for a request that waits for it.
 *
 * One vocabulary holds everywhere. A call that can't be answered at once returns -EAGAIN and has
 * done nothing: hold the request and call again. A held request has a waiter, which it passes with
 * the caller (caller::waiter) or the open file (file::waiter). With a waiter, the call starts a job
 * and returns -EINPROGRESS. When the job is done the waiter is resumed: it repeats that step, and
 * now job_run() has the result. A step is never begun twice for any other reason, and what earlier
 * steps have done stays done.
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
	 * system calls. A user has one at a time, and that user's others queue behind it: a user
	 * who stops the process holds up nobody else.
	 */
	JOB_PROCESS,
	/* A thread with the caller's rights, which may sleep for ever: host::walkers. */
	JOB_THREAD,
	/*
	 * One of the daemon's own threads, which sleeps in one system call: host::sleepers. When it
	 * is interrupted, it tells whether the call was made.
	 */
	JOB_SLEEPER,
	/*
	 * One of the daemon's own threads, for what takes a long time but ends: host::workers. Once
	 * begun, the job is not given up.
	 */
	JOB_WORKER,
	/*
	 * One of the daemon's own threads, for calls that somebody else may keep from ever ending:
	 * host::lockers. When the mount ends, it is left alone.
	 */
	JOB_ALONE,
};

/* The limits of job_call::is_long and job_call::is_single. */
#define JOB_LONG_MOST  16
#define JOB_ALIKE_MOST 2

/* What a job does, and where. */
struct job_call {
	enum job_place place;
	/*
	 * JOB_THREAD: opens the caller's root directory for caller_root(), which is -1 if the
	 * daemon itself is the caller. -EPERM if the caller can't be seen.
	 */
	bool walks;
	/*
	 * JOB_THREAD: has a lot to do, and takes the processor from others, so no more than
	 * JOB_LONG_MOST of a user's run at a time.
	 */
	bool is_long;
	bool as_caller; /* JOB_SLEEPER: act() has the rights of the caller */
	/* JOB_ALONE: usually short, so a signal does not make the request give it up. */
	bool is_final;
	/*
	 * JOB_ALONE: nanoseconds after which the waiter gets -ETIMEDOUT and the job goes on without
	 * it. 0: no limit.
	 */
	int64_t most;
	/*
	 * JOB_ALONE: fails with -ETIMEDOUT at once while the same call goes on without a waiter,
	 * and with -EBUSY while JOB_ALIKE_MOST of the same run: however many requests ask the same,
	 * no more threads than that are lost.
	 */
	bool is_single;
	int (*act)(void *data); /* 0 or -errno */
	/*
	 * The input; and with the result, the output. Its bytes tell one call from another: any
	 * padding in the input must be zero, and the input must be the same when called again.
	 */
	void *data;
	size_t size;
	size_t n_key; /* bytes at the start of `data` that tell calls apart; 0: all */
	/*
	 * On the loop: undoes what a successful act() did if nobody takes the result, and what a
	 * killed process did, which may be nothing. NULL: there is nothing to undo.
	 */
	void (*undo)(struct host *host, struct caller *caller, void *data);
};

/* Part of whatever waits: a held request, a command. All zeroes at first, except resume(). */
struct waiter {
	void (*resume)(struct waiter *waiter); /* on the loop: its job is done */
	struct job *job;
	/* What the steps of one request have to remember in between; freed by forget(). */
	void *memory;
	void (*forget)(void *memory);
};

/*
 * Calls call->act(call->data) for the caller. -EINPROGRESS: it is under way for caller->waiter.
 * -EAGAIN: the caller has no waiter, and nothing was started. Otherwise returns the result of
 * act(), or why it could not be called: -ENOBUFS, -ENOMEM, -ENOTCONN (the mount ends), -ELOOP (one
 * of the daemon's own threads asks for a walk), -EBUSY (the user has stopped the process before
 * it), -EPERM (only root's daemon can be the caller), or as job_call says above. If act() itself
 * returns -EAGAIN or -EINPROGRESS, the result is -EIO.
 *
 * If no other place is needed, act() is called at once: JOB_PROCESS if the daemon is the caller
 * itself, JOB_WORKER and JOB_ALONE before the mount serves requests, JOB_THREAD if both hold.
 */
int job_run(struct host *host, struct caller *caller, const struct job_call *call);

/*
 * Takes the result of the waiter's job, if the job is done and its function was act(), whatever its
 * data were. For a step that must not begin again, even if its data would now be different.
 */
bool job_take_result(struct waiter *waiter, int (*act)(void *data), int *ret_result);

/* Whether a result only says that the caller has to wait. */
static inline bool job_is_awaited(int result)
{
	return result == -EAGAIN || result == -EINPROGRESS;
}

/* Whether the waiter's job is done, so that its result can be taken. */
bool job_is_done(const struct waiter *waiter);

/*
 * A signal has come for the waiting request. True: its job can't be given up, or is ending now:
 * resume() follows, and the result tells what was done. False: there is no such job, and
 * waiter_fini() is enough.
 */
bool job_stop(struct waiter *waiter);

/*
 * Gives up the waiter's job and memory: resume() does not follow, and what the job has done is
 * undone. A thread that is still at it ends when it can.
 */
void waiter_fini(struct waiter *waiter);

/*
 * The mount ends: no job is started any more, and everything that waits for a process, a walker or
 * a locker is resumed and gets -ENOTCONN.
 */
void job_end_all(struct host *host);

/* For the host: the clock of job_call::most. Fails with -EMFILE or -ENOMEM. */
int job_clock_init(struct host *host);
void job_clock_fini(struct host *host);

#endif
