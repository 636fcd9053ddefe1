/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that sleeps in a system call on behalf of a channel's waiters, for events that the
 * kernel offers no descriptor to poll for.
 *
 * The struct is the kind's memory, and belongs to the sleeper from sleeper_start() to ended(),
 * which always follows. The sleeper refers to nothing that the loop may touch meanwhile.
 */
#ifndef IPCFS_SLEEPER_H
#define IPCFS_SLEEPER_H

#include "lib/base/workers.h"
#include "lib/channel/channel.h"

struct sleeper {
	struct channel *channel;                /* a reference, while it sleeps */
	int (*call)(struct sleeper *sleeper);   /* on a thread; returns -EINTR if a signal came */
	void (*ended)(struct sleeper *sleeper); /* on the loop, with `result` set; may free it */
	int result;                             /* of call(); -EINTR: the sleeper was stopped */
	uid_t uid;                              /* the user charged for the thread */
	struct worker_task task;
	struct loop_task end;
};

/*
 * Starts the thread for user `uid`. Fails with -ENOBUFS or -ENOMEM as host_sleep() does; ended() is
 * not called then.
 */
int sleeper_start(struct sleeper *sleeper, struct channel *channel, uid_t uid);

/* Wakes the sleeper soon. `result` is what the call has done until then. */
void sleeper_stop(struct sleeper *sleeper);

#endif
