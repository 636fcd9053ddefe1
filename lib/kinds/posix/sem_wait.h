/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for a named semaphore, which has no descriptor: one thread for all who wait.
 *
 * It sleeps as sem_wait(3) does. A unit that it has taken goes to the first who waits, and back if
 * nobody does any more. For who only polls it takes nothing.
 */
#ifndef IPCFS_SEM_WAIT_H
#define IPCFS_SEM_WAIT_H

#include "lib/channel/kernel_names.h"
#include "lib/kinds/posix/semaphores.h"

struct sem_wait;

struct sem {
	struct named named;
	int fd; /* -1 while nobody has it open */
	struct semaphore *semaphore;
	struct sem_wait *wait;
	unsigned n_units; /* taken for those who wait, and not given to them yet */
};

struct sem *sem_from(struct channel *channel);

/* channel_ops::attend */
void sem_wait_attend(struct channel *channel);

/* Gives descriptor and memory back. */
void sem_wait_close(struct sem *sem);

/* Likewise, if nobody has it open; the memory stays for as long as a thread sleeps on it. */
void sem_wait_close_unused(struct sem *sem);

#endif
