/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of names that a job gathers for the user who lists a directory. That user pays for the
 * memory before it is allocated.
 */
#ifndef IPCFS_LISTED_H
#define IPCFS_LISTED_H

#include <sys/types.h>

#include "lib/channel/space.h"
#include "lib/host/job.h"

/* The data of such a job begins with this. It starts as zeroes, except for the kind's own part. */
struct listed {
	size_t room; /* bytes that the job may use */
	off_t next;  /* where to go on: 0 at first, and once that was all */
	char *names; /* the names found */
	size_t size;
};

/* For the job: adds one more name. Fails with -E2BIG if there is no room, or -ENOMEM. */
int listed_add(struct listed *listed, const char *name, ino_t ino, mode_t mode);

/* For the job: takes room for memory of its own. Fails with -E2BIG. */
int listed_use(struct listed *listed, size_t size);

/* Ends the job: returns `result`, and frees what was found if that is an error. */
int listed_end(struct listed *listed, int result);

/* job_call::undo */
void listed_drop(struct host *host, struct caller *caller, void *data);

/* Where the names go. */
struct listed_reader {
	space_entry_fn *entry;
	void *data;
};

/*
 * Runs the job until it says that there is no more, then gives the reader each name. A job that
 * returns -E2BIG runs again with more room; one that sets `next` runs again to go on from there.
 * -EAGAIN, -EINPROGRESS and errors are those of job_run(); -ENOBUFS: too many names for this user.
 */
int listed_run(struct host *host, struct caller *caller, const struct job_call *call,
	       const struct listed_reader *reader);

#endif
