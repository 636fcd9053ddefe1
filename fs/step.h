/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that go on in steps, because a job has to be done first (lib/host/job.h).
 *
 * A step is what a handler does with the arguments of its request. It is taken at once, without a
 * waiter; if that comes to -EAGAIN the arguments are copied and the request is held with a waiter
 * of its own, for which the same step starts its job; and when the job is done it is taken once
 * more and finds the result. Whatever follows may be another step, which begins the same way.
 */
#ifndef IPCFS_STEP_H
#define IPCFS_STEP_H

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "fs/lock_time.h"
#include "lib/base/loop.h"
#include "lib/host/job.h"

struct held_step;
struct session;

/*
 * Ends steps that hold a directory's lock for too long (fs/lock_time.h): the answer is -EAGAIN,
 * whatever the job is at.
 */
struct step_clock {
	struct loop_source source; /* timerfd */
	struct held_step *held;    /* the steps that hold a lock, the first to end first */
	struct lock_times times;
};

/* -EMFILE, -ENOMEM */
int step_clock_init(struct step_clock *clock, struct loop *loop);

/* No step is held any more. All zeroes are nothing. */
void step_clock_fini(struct step_clock *clock, struct loop *loop);

/* What a request asks for, as far as its step uses it. */
struct step {
	/*
	 * Answers the request, unless step_waits() says so. `caller` is who sent it, with the
	 * waiter if there is one; it is not take()'s to finish.
	 */
	void (*take)(fuse_req_t req, const struct step *step, struct caller *caller);
	fuse_ino_t ino;
	const char *name; /* that it is about; or NULL */
	/*
	 * Of a RENAME: where to, and its flags; of an attribute: its name, and its flags; else
	 * NULL. Of a node to be shown: its nodeid.
	 */
	fuse_ino_t new_ino;
	const char *new_name;
	unsigned flags;
	mode_t mode;
	size_t size;
	off_t offset;
	const void *data; /* `size` bytes; or NULL */
	struct stat attr;
	unsigned changes;         /* which of attr's are meant */
	struct fuse_file_info fi; /* all zeroes if there is none */
	bool has_fi;
	/*
	 * One that names something holds the lock of the directory meanwhile, and so may another:
	 * alone, unless it only looks up or lists.
	 */
	bool locks, shares;
};

/* Takes the first step of a request. */
void step_begin(fuse_req_t req, const struct step *step);

/*
 * For a step: true if *result says that it has to wait, and the step returns without an answer.
 * If it can't be held *result becomes the reason: -ENOBUFS, -ENOMEM, -ENOTCONN; -EAGAIN: the user
 * has held locks for long enough.
 */
bool step_waits(fuse_req_t req, int *result, const struct step *step, struct caller *caller);

#endif
