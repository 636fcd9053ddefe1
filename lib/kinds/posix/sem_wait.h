/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for a named semaphore, which has no descriptor: one thread sleeps for all waiters.
 *
 * It sleeps as sem_wait(3) does. A unit that it has taken goes to the first waiter, or back to the
 * semaphore if nobody waits any more. While waiters only poll, it takes nothing.
 */
#ifndef IPCFS_SEM_WAIT_H
#define IPCFS_SEM_WAIT_H

#include "lib/channel/kernel_names.h"
#include "lib/kinds/posix/semaphores.h"

struct sem_wait;

struct sem {
	struct named named;
	int fd; /* -1 while nobody has the semaphore open */
	struct semaphore *semaphore;
	struct sem_wait *wait;
};

struct sem *sem_from(struct channel *channel);

/* For channel_ops::attend. */
void sem_wait_attend(struct channel *channel);

/* Closes the descriptor and unmaps the memory. */
void sem_wait_close(struct sem *sem);

/*
 * As sem_wait_close(), if nobody has the semaphore open. The memory stays while a thread sleeps on
 * it.
 */
void sem_wait_close_unused(struct sem *sem);

#endif
