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

/*
 * The data of such a job begins with this struct. All zeroes at first, except for the kind's own
 * part.
 */
struct listed {
	size_t room; /* bytes that the job may use */
	/* Where the next job continues; 0 at the start, and again after the last name. */
	off_t next;
	char *names; /* the names found */
	size_t size;
};

/* For the job: adds one more name. Fails with -E2BIG if there is no room, or -ENOMEM. */
int listed_add(struct listed *listed, const char *name, ino_t ino, mode_t mode);

/* For the job: takes room for memory that the job itself allocates. Fails with -E2BIG. */
int listed_use(struct listed *listed, size_t size);

/* Ends the job: returns `result`, and frees what was found if `result` is an error. */
int listed_end(struct listed *listed, int result);

/* For job_call::undo: frees what was found. */
void listed_drop(struct host *host, struct caller *caller, void *data);

/* Where the names go. */
struct listed_reader {
	space_entry_fn *entry;
	void *data;
};

/*
 * Runs the job until it says that there is no more, then gives the reader each name. A job that
 * returns -E2BIG runs again with more room; a job that sets `next` runs again and continues from
 * there. Returns what job_run() does, also -EAGAIN and -EINPROGRESS, or -ENOBUFS if there are too
 * many names for this user.
 */
int listed_run(struct host *host, struct caller *caller, const struct job_call *call,
	       const struct listed_reader *reader);

#endif
