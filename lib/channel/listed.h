/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of names that a job gathers for whoever lists a directory, who pays for the memory before
 * it is there.
 */
#ifndef IPCFS_LISTED_H
#define IPCFS_LISTED_H

#include <sys/types.h>

#include "lib/channel/space.h"
#include "lib/host/job.h"

/* What begins the data of such a job; all zeroes when it goes in, but for what is the kind's. */
struct listed {
	size_t room; /* bytes that it may use */
	off_t next;  /* where to go on: 0 at first, and when that was all */
	char *names; /* found */
	size_t size;
};

/* For the job: one more name. -E2BIG: there is no room; -ENOMEM */
int listed_add(struct listed *listed, const char *name, ino_t ino, mode_t mode);

/* For the job: it uses memory of its own. -E2BIG */
int listed_use(struct listed *listed, size_t size);

/* What the job returns: what it has found only lives on with a result that is no error. */
int listed_end(struct listed *listed, int result);

/* job_call::undo */
void listed_drop(struct host *host, struct caller *caller, void *data);

/* Where the names go. */
struct listed_reader {
	space_entry_fn *entry;
	void *data;
};

/*
 * Has the job called until it says that that was all, and tells the reader of each name. A job that
 * returns -E2BIG is called again with more room; one that sets `next`, to go on from there.
 * -EAGAIN, -EINPROGRESS, and errors: as job_run() has them; -ENOBUFS: too many for this user.
 */
int listed_run(struct host *host, struct caller *caller, const struct job_call *call,
	       const struct listed_reader *reader);

#endif
