/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that are handled in steps, because a job has to be done first (lib/host/job.h).
 *
 * A step is what a handler does with the arguments of its request. It is taken at once, without a
 * waiter. If that gives -EAGAIN, the arguments are copied and the request is held with a waiter of
 * its own, for which the same step starts its job. When the job is done the step is taken once
 * more, and finds the result. What follows may be another step, which begins in the same way.
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
 * Ends steps that hold a directory's lock for too long (fs/lock_time.h): they are answered with
 * -EAGAIN, whatever the job is doing.
 */
struct step_clock {
	struct loop_source source; /* timerfd */
	struct held_step *held;    /* the steps that hold a lock, ordered by when they end */
	struct lock_times times;
};

/* Starts the clock in the loop. Fails with -EMFILE or -ENOMEM. */
int step_clock_init(struct step_clock *clock, struct loop *loop);

/*
 * Frees the clock's content. Call it when no step is held any more. A clock of all zeroes is fine.
 */
void step_clock_fini(struct step_clock *clock, struct loop *loop);

/* The arguments of a request, as far as its step uses them. */
struct step {
	/*
	 * Answers the request, unless step_waits() returns true. `caller` is the sender, with the
	 * waiter if there is one; take() must not call caller_fini().
	 */
	void (*take)(fuse_req_t req, const struct step *step, struct caller *caller);
	fuse_ino_t ino;
	const char *name; /* the name that the request is about; or NULL */
	/*
	 * For a RENAME the target and the flags; for an extended attribute its name (new_name) and
	 * the flags; for show_begin() the node (new_ino). Otherwise zero.
	 */
	fuse_ino_t new_ino;
	const char *new_name;
	unsigned flags;
	mode_t mode;
	size_t size;
	off_t offset;
	const void *data; /* `size` bytes; or NULL */
	struct stat attr;
	unsigned changes;         /* which fields of `attr` count */
	struct fuse_file_info fi; /* all zeroes: none */
	bool has_fi;
	/*
	 * The kernel holds the directory's lock during a request with a name, or with `locks` set:
	 * exclusively, unless the request only looks up or lists (`shares`).
	 */
	bool locks, shares;
};

/* Takes the first step of a request. */
void step_begin(fuse_req_t req, const struct step *step);

/*
 * For a step: returns true if *result says that the step has to wait; the step then returns without
 * an answer. If it can't be held, *result becomes the reason: -ENOBUFS, -ENOMEM or -ENOTCONN, or
 * -EAGAIN if the user's requests have spent all their time with locks held.
 */
bool step_waits(fuse_req_t req, int *result, const struct step *step, struct caller *caller);

#endif
