/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls made in a process of its own, which is the caller in every respect: its real ids
 * and its limit of message queues (RLIMIT_MSGQUEUE) too.
 *
 * What the kernel charges to the real user is charged to the caller that way. The loop does not
 * wait for it, because the caller may send such a process signals: stop it, or kill it.
 */
#ifndef IPCFS_CHILD_H
#define IPCFS_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/loop.h"
#include "lib/host/caller.h"

struct child {
	struct loop *loop;
	struct loop_source end;   /* pidfd */
	struct loop_source timer; /* timerfd: is it stopped? */
	pid_t pid;
	bool was_stopped; /* by a signal, and ended for that */
	void *shared;     /* `data` of child_start(), which the process may have changed */
	size_t size;
	void (*done)(struct child *child, int result);
};

/*
 * Has act(data) called, on a copy of `data` in memory that both share. done() is called from the
 * loop with what act returned, 0 or -errno, or -EINTR if the process was killed; child_fini()
 * follows. act must only make system calls. -EAGAIN, -ENOMEM, -EMFILE: nothing was started.
 */
int child_start(struct child *child, struct loop *loop, struct caller *caller,
		int (*act)(void *data), const void *data, size_t size);

/* Ends the process if it is still there, and frees what belongs to it. */
void child_fini(struct child *child);

/* True if no process is needed: the daemon is the caller itself, or can be nobody else. */
bool child_is_needless(struct caller *caller);

#endif
