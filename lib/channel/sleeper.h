/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that sleeps in a system call for those who wait on a channel, where the kernel has no
 * descriptor to tell the loop by.
 *
 * It is the kind's memory, and belongs to the sleeper from start to ended(), which always follows.
 * It refers to nothing that the loop may touch meanwhile.
 */
#ifndef IPCFS_SLEEPER_H
#define IPCFS_SLEEPER_H

#include "lib/base/workers.h"
#include "lib/channel/channel.h"

struct sleeper {
	struct channel *channel;                /* a reference, while it sleeps */
	int (*call)(struct sleeper *sleeper);   /* on a thread; -EINTR: a signal came */
	void (*ended)(struct sleeper *sleeper); /* on the loop: `result` is there; may free it */
	int result;                             /* of call(); -EINTR: it was stopped */
	uid_t uid;                              /* who is charged */
	struct worker_task task;
	struct loop_task end;
};

/*
 * Has it sleep for user `uid`. -ENOBUFS, -ENOMEM: as host_sleep() has them; ended() is then not
 * called.
 */
int sleeper_start(struct sleeper *sleeper, struct channel *channel, uid_t uid);

/* Has it wake up soon: `result` is what the call has done by then. */
void sleeper_stop(struct sleeper *sleeper);

#endif
