/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for a System V queue, which has no descriptor: threads that sleep in msgrcv(2) and
 * msgsnd(2) for those who wait.
 *
 * One sleeps for each type that is waited for, however many wait. With a buffer of no bytes
 * msgrcv(2) ends with E2BIG when a message is there, and leaves it. An empty message is taken that
 * way: it goes to a reader who waits, or back into the queue. One thread more sends the message of
 * the first writer who waits, and so tells exactly whether it was sent.
 */
#ifndef IPCFS_SYSV_QUEUE_WAIT_H
#define IPCFS_SYSV_QUEUE_WAIT_H

#include "lib/kinds/sysv/sysv.h"

struct arrival;
struct sending;

struct sysv_queue {
	struct sysv sysv;
	struct arrival *awaited; /* asleep, one for each type */
	struct arrival *empties; /* empty messages that have been taken, in order */
	struct sending *sending; /* asleep, or NULL */
	struct arrival *room;    /* asleep until there is room, for who polls; or NULL */
};

/* channel_ops::attend */
void sysv_queue_attend(struct channel *channel);

/* An empty message of this type (0: of any), if there is one; true takes it. */
bool sysv_queue_take_empty(struct sysv_queue *queue, long type);

/* Is there a message of this type (0: of any)? -EIDRM, -ENOMEM */
int sysv_queue_has_message(struct sysv_queue *queue, long type);

/* Is there room for a message of one byte? -EIDRM */
int sysv_queue_has_room(struct sysv_queue *queue);

/* Puts back what is left, as far as the queue takes it, and forgets it. */
void sysv_queue_wait_fini(struct sysv_queue *queue);

/* The type that a file's selector stands for. */
static inline long sysv_queue_type(const struct file *file)
{
	return file->selector.is_set ? (long)file->selector.value : 0;
}

#endif
