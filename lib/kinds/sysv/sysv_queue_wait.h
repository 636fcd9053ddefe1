/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for a System V queue, which has no descriptor: threads that sleep in msgrcv(2) and
 * msgsnd(2).
 *
 * One sleeps for each type that is waited for, however many readers there are. With a buffer of no
 * bytes msgrcv(2) ends with E2BIG when a message is there, and leaves it. An empty message is taken
 * that way: it goes to a waiting reader, or back into the queue. The message of the first waiting
 * writer is sent by a job of its own, which so tells exactly whether it was sent.
 *
 * Who only waits takes nothing, so the daemon itself does that; who sends is who opened the file.
 */
#ifndef IPCFS_SYSV_QUEUE_WAIT_H
#define IPCFS_SYSV_QUEUE_WAIT_H

#include "lib/channel/sleeper.h"
#include "lib/host/job.h"
#include "lib/kinds/sysv/sysv.h"

/* A message of one type (0: of any) that is waited for; or an empty one that came. */
struct arrival {
	struct sleeper sleeper;
	struct sysv_identity queue;
	long type;
	bool is_taken;               /* an empty message of this type has been taken */
	struct arrival *prev, *next; /* sysv_queue::awaited or empties */
};

/* A message on its way. Without padding: job_run() compares all of it. */
struct sysv_message {
	struct sysv_identity queue;
	size_t size; /* of the text, bytes */
	struct {
		long type;
		char text[];
	} kernel; /* as msgsnd(2) and msgrcv(2) have it */
};

struct sysv_queue {
	struct sysv sysv;
	struct arrival *awaited; /* asleep, one for each type */
	struct arrival *empties; /* empty messages that have been taken, in order */
	struct waiter returning; /* for the empty message that goes back when there is room */
	bool is_returning;
	struct arrival *room; /* asleep until there is room, for who polls; or NULL */
};

extern const struct sysv_calls sysv_queue_calls;

struct sysv_queue *sysv_queue_from(struct channel *channel);

/* sysv_space::init */
void sysv_queue_wait_init(struct sysv *sysv);

/*
 * Sends for a write to `file`. -EAGAIN, and for one that is held -EINPROGRESS; -EMSGSIZE: the queue
 * could never take it.
 */
ssize_t sysv_queue_send(struct sysv_queue *queue, struct file *file, struct sysv_message *message);

/* channel_ops::truncate */
int sysv_queue_truncate(struct channel *channel, struct file *file, off_t size,
			struct caller *caller);

/* Has it sent when there is room, for the caller's waiter; as the caller, or as the daemon. */
int sysv_queue_send_by_job(struct sysv_queue *queue, struct caller *caller, bool as_caller,
			   struct sysv_message *message);

/* channel_ops::attend */
void sysv_queue_attend(struct channel *channel);

/* Has an empty message of this type (0: of any) been taken, for who reads next? */
bool sysv_queue_has_empty(const struct sysv_queue *queue, long type);
/* Forgets it. */
void sysv_queue_take_empty(struct sysv_queue *queue, long type);

/* Puts those back that nobody waits for. */
void sysv_queue_attend_empties(struct sysv_queue *queue);

/* Is there a message for who has the file open? -EIDRM, -EACCES, -ENOMEM */
int sysv_queue_has_message(struct file *file);

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
