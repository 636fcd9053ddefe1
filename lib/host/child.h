/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls made in a process of their own, which is the caller in every respect, including its
 * real ids and its limit for message queues (RLIMIT_MSGQUEUE), in a session of its own.
 *
 * So what the kernel charges to the real user is charged to the caller. The loop does not wait for
 * the process, because the caller may send it signals: stop it, or kill it.
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
	struct loop_source timer; /* timerfd: checks whether the process was stopped */
	pid_t pid;
	int kept_fd;      /* a descriptor that stays open in the process; 0: none */
	bool was_stopped; /* stopped by a signal, and killed for that */
	void *shared;     /* the `data` of child_start(), which the process may have changed */
	size_t size;
	void (*done)(struct child *child, int result);
};

/*
 * Calls act(data) in a new process, on a copy of `data` in memory that both processes share. The
 * loop calls done() with what act() returned, 0 or -errno, or with -EINTR if the process was
 * killed; child_fini() must follow. act() may only make system calls. Fails with -EAGAIN, -ENOMEM
 * or -EMFILE; then nothing was started.
 */
int child_start(struct child *child, struct loop *loop, struct caller *caller,
		int (*act)(void *data), const void *data, size_t size);

/* Kills the process if it is still there, and frees what belongs to it. */
void child_fini(struct child *child);

/* Whether no process is needed: the daemon is the caller itself, or can act as nobody else. */
bool child_is_needless(struct caller *caller);

#endif
