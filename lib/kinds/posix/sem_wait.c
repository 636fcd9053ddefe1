// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The thread starts when someone waits, and is stopped when nobody does any more. It is also
 * stopped, and then started again, when its task changes: for readers it takes a unit, for pollers
 * it does not.
 */
#include "lib/kinds/posix/sem_wait.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/channel/sleeper.h"
#include "lib/channel/transfer.h"
#include "lib/kinds/posix/region.h"
#include "lib/kinds/posix/sem_units.h"

/* The thread that sleeps. */
struct sem_wait {
	struct sleeper sleeper;
	struct sem *sem;
	struct semaphore *semaphore;
	bool takes;     /* takes a unit, for a reader; else only waits for one, for a poller */
	uint32_t *step; /* where it notes what it has done */
};

void sem_wait_close(struct sem *sem)
{
	int fd = TAKE_FD(sem->fd);

	semaphore_unmap(TAKE_PTR(sem->semaphore));
	/* From the close on, the number may be that of another descriptor. */
	channel_save(&sem->named.channel);
	/*
	 * The last close may have much memory to free: a user who may write the file can have made
	 * it very large, and removed it.
	 */
	region_let_go(sem->named.channel.space->host, fd);
	channel_uncharge_descriptors(&sem->named.channel);
}

void sem_wait_close_unused(struct sem *sem)
{
	if (sem->named.channel.n_files > 0 || sem->wait)
		return;
	sem_put_back(sem);
	sem_wait_close(sem);
}

static int sem_sleep(struct sleeper *sleeper)
{
	struct sem_wait *wait = CONTAINER_OF(sleeper, struct sem_wait, sleeper);

	return wait->takes ? semaphore_wait(wait->semaphore, wait->step)
			   : semaphore_watch(wait->semaphore, wait->step);
}

static void sem_ended(struct sleeper *sleeper)
{
	struct sem_wait *wait = CONTAINER_OF(sleeper, struct sem_wait, sleeper);
	struct sem *sem = wait->sem;

	sem->wait = NULL;
	sem_settle(sem);
	if (sleeper->result != -EINTR)
		channel_wake(&sem->named.channel, EPOLLIN);
	channel_attend(&sem->named.channel);
	free(wait);
	sem_wait_close_unused(sem);
}

static int sem_start(struct sem *sem, bool takes, uid_t uid)
{
	struct sem_wait *wait = calloc(1, sizeof(*wait));
	int r;

	if (!wait)
		return -ENOMEM;
	wait->sleeper.call = sem_sleep;
	wait->sleeper.ended = sem_ended;
	wait->sem = sem;
	wait->semaphore = sem->semaphore;
	wait->takes = takes;
	wait->step = sem_step(sem);
	r = sleeper_start(&wait->sleeper, &sem->named.channel, uid);
	if (r < 0)
		free(wait);
	else
		sem->wait = wait;
	return r;
}

/* Returns a file that waits to read, else one that polls for that, else NULL. */
static struct file *find_waiting(struct channel *channel)
{
	struct file *file = channel->polled;

	if (channel->readers)
		return channel->readers->file;
	while (file && (!file_reads(file) || (channel_poll(file) & EPOLLIN)))
		file = file->next;
	return file;
}

void sem_wait_attend(struct channel *channel)
{
	struct sem *sem = sem_from(channel);
	struct file *waiting;
	bool takes;
	int r;

	if (!sem->semaphore)
		return;
	/* A thread of the former daemon may have left a unit. */
	if (!sem->wait && sem_settle(sem))
		channel_wake(channel, EPOLLIN);
	if (!channel->readers && sem_put_back(sem))
		channel_wake(channel, EPOLLIN);
	if (channel->n_files == 0) {
		sem_wait_close_unused(sem);
		return;
	}
	while ((waiting = find_waiting(channel)) && !sem->wait) {
		takes = channel->readers;
		r = sem_start(sem, takes, waiting->uid);
		if (r == 0 || !takes)
			return;
		transfer_finish(channel->readers, r);
	}
	if (sem->wait && (!waiting || sem->wait->takes != (channel->readers != NULL)))
		sleeper_stop(&sem->wait->sleeper);
}
