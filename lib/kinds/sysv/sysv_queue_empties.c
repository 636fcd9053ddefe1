// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Empty messages, which a wait takes from the queue.
 *
 * They belong to nobody until a reader with the right to receive them comes. Those that no reader
 * waits for go back.
 */
#include "lib/kinds/sysv/sysv_queue_wait.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/transfer.h"

static struct arrival *find_empty(const struct sysv_queue *queue, long type)
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
	return find_empty(queue, type);
}

void sysv_queue_take_empty(struct sysv_queue *queue, long type)
{
	struct arrival *empty = find_empty(queue, type);

	DL_DELETE(queue->empties, empty);
	free(empty);
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
	queue->is_returning = false;
	channel_wake(&queue->sysv.channel, EPOLLIN | EPOLLOUT);
	channel_attend(&queue->sysv.channel);
	channel_unref(&queue->sysv.channel);
}

/*
 * The queue is full: a thread puts the message back when there is room. False: there is no thread.
 */
static bool return_later(struct sysv_queue *queue, const struct arrival *empty)
{
	struct caller caller = {.uid = empty->sleeper.uid, .waiter = &queue->returning};
	struct sysv_message message = {.queue = queue->sysv.identity};

	if (queue->is_returning)
		return false;
	message.kernel.type = empty->type;
	queue->is_returning =
		sysv_queue_send_by_job(queue, &caller, false, &message) == -EINPROGRESS;
	if (queue->is_returning)
		channel_ref(&queue->sysv.channel);
	return queue->is_returning;
}

void sysv_queue_attend_empties(struct sysv_queue *queue)
{
	struct arrival *empty, *next;

	DL_FOREACH_SAFE(queue->empties, empty, next) {
		if (is_awaited(&queue->sysv.channel, empty))
			continue;
		if (!put_back(queue, empty) && !return_later(queue, empty))
			continue;
		DL_DELETE(queue->empties, empty);
		free(empty);
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
		free(empty);
	}
}
