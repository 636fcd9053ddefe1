/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has to be done elsewhere than on the loop, on a caller's behalf and before it is answered.
 *
 * It takes two calls: the first starts it and says -EAGAIN; when host_retry() has those who wait
 * try again, the second has its result. A result that nobody takes is dropped.
 */
#ifndef IPCFS_ERRANDS_H
#define IPCFS_ERRANDS_H

#include <stddef.h>

#include "lib/host/caller.h"
#include "lib/host/host.h"

enum errand_way {
	/*
	 * A process of the caller's (lib/host/child.h): act() must only make system calls. Each
	 * user has one at a time, so that a user who stops it keeps nobody else from anything.
	 */
	ERRAND_PROCESS,
	/*
	 * A thread with the caller's rights (lib/host/caller.h), which may sleep. Each thread of a
	 * caller has one for each name; those of our own have none: -ELOOP. For the daemon itself,
	 * before it serves, no thread is needed.
	 */
	ERRAND_THREAD,
};

struct errand_call {
	enum errand_way way;
	const char *name;       /* of what it is about */
	int (*act)(void *data); /* 0 or -errno */
	void *data;             /* goes in and, with the result, comes out again */
	size_t size;
	/* Frees, on the loop, what a result holds that nobody takes; NULL: nothing. */
	void (*drop)(struct host *host, struct caller *caller, void *data);
};

/*
 * Has call->act(call->data) called as the caller. Calls with the same caller and name are about the
 * same thing. -EAGAIN: wait, with host_wait(). Otherwise what act returned, or -errno if it could
 * not be called.
 */
int errands_run(struct host *host, struct caller *caller, const struct errand_call *call);

/* Ends all that is under way, for host_stop(); what is on a thread ends in its own time. */
void errands_end(struct host *host);

#endif
