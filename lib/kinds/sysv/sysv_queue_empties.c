// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Empty messages, which a wait takes from the queue.
 *
 * They belong to nobody until a reader with the right to receive them comes. Those that no reader
 * waits for go back. A daemon that is killed right after it has put one back leaves it in the
 * record, so the next one puts it back a second time: rather twice than never.
 */
#include "lib/kinds/sysv/sysv_queue_wait.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/transfer.h"

/* The places are few, so that those that are free need no list. */
void sysv_arrival_place(struct sysv_queue *queue, struct arrival *arrival)
{
	struct object_record *record = queue->sysv.channel.record;

	arrival->place = -1;
	arrival->taken = &arrival->own;
	for (int i = 0; record && i < SYSV_EMPTIES && arrival->place < 0; i++)
		if (!(queue->places >> i & 1))
			arrival->place = i;
	if (arrival->place < 0)
		return;
	queue->places |= 1U << arrival->place;
	arrival->taken = (long *)&record->words[SYSV_WORDS + arrival->place];
}

void sysv_arrival_free(struct sysv_queue *queue, struct arrival *arrival)
{
	if (arrival->place >= 0) {
		*arrival->taken = 0;
		STATE_ORDER();
		queue->places &= ~(1U << arrival->place);
	}
	free(arrival);
}

struct arrival *sysv_queue_find_empty(const struct sysv_queue *queue, long type)
{
	struct arrival *empty;

	DL_FOREACH(queue->empties, empty) {
		if (type == 0 || empty->type == type)
			break;
	}
	return empty;
}

bool sysv_queue_has_empty(const struct sysv_queue *queue, long type)
{
	return sysv_queue_find_empty(queue, type);
}

void sysv_queue_take_empty(struct sysv_queue *queue, long type)
{
	struct arrival *empty = sysv_queue_find_empty(queue, type);

	DL_DELETE(queue->empties, empty);
	sysv_arrival_free(queue, empty);
}

void sysv_queue_forget_empty(struct sysv_queue *queue, int place)
{
	struct arrival *empty, *next;

	DL_FOREACH_SAFE(queue->empties, empty, next) {
		if (place < 0 || empty->place != place)
			continue;
		DL_DELETE(queue->empties, empty);
		sysv_arrival_free(queue, empty);
	}
}

int sysv_queue_adopt_empties(struct sysv_queue *queue, struct object_record *record)
{
	for (int i = 0; i < SYSV_EMPTIES; i++) {
		struct arrival *empty;

		if ((long)record->words[SYSV_WORDS + i] <= 0)
			continue;
		empty = calloc(1, sizeof(*empty));
		if (!empty)
			return -ENOMEM;
		empty->queue = queue->sysv.identity;
		empty->sleeper.uid = (uid_t)queue->sysv.identity.cuid;
		empty->is_taken = true;
		empty->place = i;
		empty->taken = (long *)&record->words[SYSV_WORDS + i];
		empty->type = *empty->taken;
		queue->places |= 1U << i;
		DL_APPEND(queue->empties, empty);
	}
	if (queue->empties)
		channel_attend(&queue->sysv.channel);
	return 0;
}

/*
 * Whether a held read will take the empty message, or a poller hears of it through the wake-up that
 * came with it.
 */
static bool is_awaited(const struct channel *channel, const struct arrival *empty)
{
	struct transfer *reader;
	struct file *file;

	DL_FOREACH(channel->readers, reader) {
		long type = sysv_queue_type(reader->file);

		if (type == 0 || type == empty->type)
			return true;
	}
	DL_FOREACH(channel->polled, file) {
		long type = sysv_queue_type(file);

		if (file_reads(file) && (type == 0 || type == empty->type))
			return true;
	}
	return false;
}

/* Returns true if the message is back in the queue, or the queue is gone. */
static bool put_back(struct sysv_queue *queue, const struct arrival *empty)
{
	struct {
		long type;
		char text[1];
	} message = {.type = empty->type};
	union sysv_data data;

	if (sysv_data(&queue->sysv, &data) < 0)
		return true;
	return msgsnd(queue->sysv.id, &message, 0, IPC_NOWAIT) == 0 || errno != EAGAIN;
}

/* Called when an empty message is back in its queue, or the queue is gone. */
static void resume_returning(struct waiter *waiter)
{
	struct sysv_queue *queue = CONTAINER_OF(waiter, struct sysv_queue, returning);

	waiter_fini(waiter);
	sysv_arrival_free(queue, TAKE_PTR(queue->returned));
	channel_wake(&queue->sysv.channel, EPOLLIN | EPOLLOUT);
	channel_attend(&queue->sysv.channel);
	channel_unref(&queue->sysv.channel);
}

/*
 * The queue is full: a thread puts the message back when there is room, if there is a thread.
 */
static void return_later(struct sysv_queue *queue, struct arrival *empty)
{
	struct caller caller = {.uid = empty->sleeper.uid, .waiter = &queue->returning};
	struct sysv_message message = {.queue = queue->sysv.identity};

	if (queue->returned)
		return;
	message.kernel.type = empty->type;
	if (sysv_queue_send_by_job(queue, &caller, false, &message) != -EINPROGRESS)
		return;
	DL_DELETE(queue->empties, empty);
	queue->returned = empty;
	channel_ref(&queue->sysv.channel);
}

void sysv_queue_attend_empties(struct sysv_queue *queue)
{
	struct arrival *empty, *next;

	DL_FOREACH_SAFE(queue->empties, empty, next) {
		if (is_awaited(&queue->sysv.channel, empty))
			continue;
		if (!put_back(queue, empty)) {
			return_later(queue, empty);
			continue;
		}
		DL_DELETE(queue->empties, empty);
		sysv_arrival_free(queue, empty);
	}
}

void sysv_queue_wait_init(struct sysv *sysv)
{
	CONTAINER_OF(sysv, struct sysv_queue, sysv)->returning.resume = resume_returning;
}

void sysv_queue_wait_fini(struct sysv_queue *queue)
{
	struct arrival *empty, *next;

	DL_FOREACH_SAFE(queue->empties, empty, next) {
		put_back(queue, empty);
		sysv_arrival_free(queue, empty);
	}
}
