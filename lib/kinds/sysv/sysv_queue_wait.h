/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for a System V queue, which has no descriptor: threads sleep in msgrcv(2) and msgsnd(2).
 *
 * One thread sleeps for each awaited type, however many readers there are. With a buffer of 0 bytes
 * msgrcv(2) fails with E2BIG when a message is there, and leaves it in the queue. Only an empty
 * message is taken that way: it goes to a waiting reader, or back into the queue. The message of
 * the first waiting writer is sent by a job of its own, so it is known exactly whether it was sent.
 *
 * Waiting takes nothing, so the daemon waits as itself. Sending is done as the file's opener.
 */
#ifndef IPCFS_SYSV_QUEUE_WAIT_H
#define IPCFS_SYSV_QUEUE_WAIT_H

#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/channel/sleeper.h"
#include "lib/host/job.h"
#include "lib/kinds/sysv/sysv.h"

/* A wait for a message of one type (0: of any), or an empty message that came. */
struct arrival {
	struct sleeper sleeper;
	struct sysv_identity queue;
	long type;
	bool is_taken; /* an empty message of this type has been taken */
	/*
	 * Where msgrcv(2) writes the type of an empty message: the place with this index in the
	 * queue's record, where the next daemon finds it; -1: none was free, so it is in `own`.
	 */
	int place;
	long *taken;
	long own;
	struct arrival *prev, *next; /* sysv_queue::awaited or empties */
};

/* A message on its way. It has no padding: job_run() compares all of it. */
struct sysv_message {
	struct sysv_identity queue;
	size_t size; /* of the text, bytes */
	/* The write that sends it: journal_accept(). */
	struct journal *journal;
	uint64_t request;
	struct {
		long type;
		char text[];
	} kernel; /* as msgsnd(2) and msgrcv(2) take it */
};

struct sysv_queue {
	struct sysv sysv;
	struct arrival *awaited;  /* asleep, one for each type */
	struct arrival *empties;  /* empty messages that have been taken, in order */
	struct waiter returning;  /* for the empty message that goes back when there is room */
	struct arrival *returned; /* that message; NULL: none */
	unsigned places;          /* those in use, 1 << index */
	struct arrival *room;     /* asleep until there is room for those who poll; or NULL */
};

/* Places in the record, after those of its identity. Few types are awaited at a time. */
#define SYSV_EMPTIES (OBJECT_WORDS - SYSV_WORDS)

extern const struct sysv_calls sysv_queue_calls;

struct sysv_queue *sysv_queue_from(struct channel *channel);

/* sysv_space::init */
void sysv_queue_wait_init(struct sysv *sysv);

/*
 * Sends the message of a write to `file`. -EAGAIN, or -EINPROGRESS for a held write: there is no
 * room yet. -EMSGSIZE: the queue could never take it.
 */
ssize_t sysv_queue_send(struct sysv_queue *queue, struct file *file, struct sysv_message *message);

/* channel_ops::truncate */
int sysv_queue_truncate(struct channel *channel, struct file *file, off_t size,
			struct caller *caller);

/* A job for the caller's waiter: sends when there is room, as the caller or as the daemon. */
int sysv_queue_send_by_job(struct sysv_queue *queue, struct caller *caller, bool as_caller,
			   struct sysv_message *message);

/* channel_ops::attend */
void sysv_queue_attend(struct channel *channel);

/*
 * Whether an empty message of this type (0: of any) has been taken off the queue and is kept for
 * the next reader.
 */
bool sysv_queue_has_empty(const struct sysv_queue *queue, long type);
/* Returns the first such message, or NULL. */
struct arrival *sysv_queue_find_empty(const struct sysv_queue *queue, long type);
/* Forgets it, because a reader has received it. */
void sysv_queue_take_empty(struct sysv_queue *queue, long type);

/* Gives an arrival its place in the record. */
void sysv_arrival_place(struct sysv_queue *queue, struct arrival *arrival);
/* Frees an arrival, and with it its place. */
void sysv_arrival_free(struct sysv_queue *queue, struct arrival *arrival);

/* For the next daemon: takes over the empty messages of the record. Fails with -ENOMEM. */
int sysv_queue_adopt_empties(struct sysv_queue *queue, struct object_record *record);
/* Forgets the empty message of a place, if there is one: its reader has it. */
void sysv_queue_forget_empty(struct sysv_queue *queue, int place);

/* Puts back the empty messages that nobody waits for. */
void sysv_queue_attend_empties(struct sysv_queue *queue);

/* Returns 1 if there is a message for the file's opener, else 0; or -EIDRM, -EACCES, -ENOMEM. */
int sysv_queue_has_message(struct file *file);

/* Returns 1 if there is room for a message of one byte, else 0. Fails with -EIDRM. */
int sysv_queue_has_room(struct sysv_queue *queue);

/* Puts back the empty messages that are left, as far as the queue takes them, and frees them. */
void sysv_queue_wait_fini(struct sysv_queue *queue);

/* The type that a file's selector stands for; 0: any. */
static inline long sysv_queue_type(const struct file *file)
{
	return file_selector(file).is_set ? (long)file_selector(file).value : 0;
}

#endif
