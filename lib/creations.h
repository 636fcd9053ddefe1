/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects that have to be made by a process of the caller's (lib/child.h).
 *
 * Making one takes two calls: the first starts it and says -EAGAIN; when host_retry() has those
 * who wait try again, the second has its result. Each user has one under way at a time, so that a
 * user who stops the process keeps nobody else from anything.
 */
#ifndef IPCFS_CREATIONS_H
#define IPCFS_CREATIONS_H

#include <stddef.h>

#include "lib/caller.h"
#include "lib/host.h"

struct creations {
	struct host *host;
	struct creation *creations; /* by user */
};

/*
 * Has act(data) called as the caller, where `size` bytes at `data` go in and, with the result,
 * come out again. Calls with the same caller and name are for the same object. -EAGAIN: wait, with
 * host_wait(). Otherwise what act returned, or -errno if no process could be started.
 */
int creations_make(struct creations *creations, struct caller *caller, const char *name,
		   int (*act)(void *data), void *data, size_t size);

/* Ends what is under way. */
void creations_fini(struct creations *creations);

#endif
