// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Starts and stops sleeping threads as the set of waiters changes. A thread checks that the queue
 * is still the same one before it sleeps in it.
 */
#include "lib/kinds/sysv/sysv_queue_wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/sleeper.h"
#include "lib/channel/transfer.h"

/* Nanoseconds. No call waits for room, so a thread looks this often for those who poll for it. */
#define ROOM_AGAIN 20000000

/* Returns 1 if a message is there, 0 if not, or -errno. An empty message has then been taken. */
static int look_for_message(struct arrival *arrival, int flags)
{
	if (msgrcv((int)arrival->queue.id, arrival->taken, 0, arrival->type, flags) == 0) {
		arrival->type = *arrival->taken;
		arrival->is_taken = true;
		return 1;
	}
	return errno == E2BIG ? 1 : errno == ENOMSG ? 0 : sysv_error(-errno);
}

static int await_message(struct sleeper *sleeper)
{
	struct arrival *arrival = CONTAINER_OF(sleeper, struct arrival, sleeper);
	union sysv_data data;
	int r = sysv_verify(&sysv_queue_calls, &arrival->queue, &data);

	return r < 0 ? r : look_for_message(arrival, 0);
}

static void arrival_ended(struct sleeper *sleeper)
{
	struct arrival *arrival = CONTAINER_OF(sleeper, struct arrival, sleeper);
	struct channel *channel = sleeper->channel;
	struct sysv_queue *queue = sysv_queue_from(channel);

	DL_DELETE(queue->awaited, arrival);
	if (sleeper->result != -EINTR)
		channel_wake(channel, EPOLLIN);
	if (arrival->is_taken)
		DL_APPEND(queue->empties, arrival);
	else
		sysv_arrival_free(queue, arrival);
	channel_attend(channel);
}

/* Whether there is room for a message of one byte. */
static bool has_room(const union sysv_data *data)
{
	return data->queue.__msg_cbytes < data->queue.msg_qbytes &&
	       data->queue.msg_qnum < data->queue.msg_qbytes;
}

static int await_room(struct sleeper *sleeper)
{
	const struct timespec again = {.tv_nsec = ROOM_AGAIN};
	struct arrival *arrival = CONTAINER_OF(sleeper, struct arrival, sleeper);
	union sysv_data data;
	int r = sysv_verify(&sysv_queue_calls, &arrival->queue, &data);

	if (r < 0)
		return r;
	if (has_room(&data))
		return 1;
	nanosleep(&again, NULL);
	return -EINTR;
}

static void room_ended(struct sleeper *sleeper)
{
	struct channel *channel = sleeper->channel;

	sysv_arrival_free(sysv_queue_from(channel), TAKE_PTR(sysv_queue_from(channel)->room));
	channel_wake(channel, EPOLLOUT);
	channel_attend(channel);
}

static int send_act(void *data)
{
	const struct sysv_message *message = data;
	union sysv_data unused;
	int r = sysv_verify(&sysv_queue_calls, &message->queue, &unused);

	if (r == 0 && msgsnd((int)message->queue.id, &message->kernel, message->size, 0) < 0)
		r = sysv_error(-errno);
	if (r == 0)
		journal_accept(message->journal, message->request);
	return r;
}

int sysv_queue_send_by_job(struct sysv_queue *queue, struct caller *caller, bool as_caller,
			   struct sysv_message *message)
{
	return job_run(queue->sysv.channel.space->host, caller,
		       &(struct job_call){.place = JOB_SLEEPER,
					  .as_caller = as_caller,
					  .act = send_act,
					  .data = message,
					  .size = sizeof(*message) + message->size});
}

/* Returns what the kernel means by refusing a message of this size. */
static int explain(struct sysv_queue *queue, int error, size_t size)
{
	union sysv_data data;
	int r;

	if (error != EAGAIN && error != EINVAL)
		return -error;
	r = sysv_data(&queue->sysv, &data);
	if (r < 0)
		return r;
	return error == EINVAL || size > data.queue.msg_qbytes ? -EMSGSIZE : -EAGAIN;
}

static int send_now(struct sysv_queue *queue, struct file *file, struct sysv_message *message)
{
	union sysv_data data;
	int error = 0;
	int r = sysv_data(&queue->sysv, &data);

	if (r == 0)
		r = sysv_enter(file, &data);
	if (r < 0)
		return r;
	if (msgsnd(queue->sysv.id, &message->kernel, message->size, IPC_NOWAIT) < 0)
		error = errno;
	else
		journal_accept(message->journal, message->request);
	caller_leave();
	return error ? explain(queue, error, message->size) : 0;
}

ssize_t sysv_queue_send(struct sysv_queue *queue, struct file *file, struct sysv_message *message)
{
	struct caller opener = sysv_opener(file);
	int r = -EAGAIN;

	/* A job may have sent it already: its result comes first. */
	if (!file->waiter || !file->waiter->job)
		r = send_now(queue, file, message);
	if (r == -EAGAIN && file->waiter)
		r = sysv_queue_send_by_job(queue, &opener, true, message);
	return r < 0 ? r : (ssize_t)message->size;
}

static int start_arrival(struct sysv_queue *queue, long type, uid_t uid,
			 int (*call)(struct sleeper *sleeper),
			 void (*ended)(struct sleeper *sleeper), struct arrival **ret_arrival)
{
	struct arrival *arrival = calloc(1, sizeof(*arrival));
	int r;

	if (!arrival)
		return -ENOMEM;
	arrival->sleeper.call = call;
	arrival->sleeper.ended = ended;
	arrival->queue = queue->sysv.identity;
	arrival->type = type;
	sysv_arrival_place(queue, arrival);
	r = sleeper_start(&arrival->sleeper, &queue->sysv.channel, uid);
	if (r < 0)
		sysv_arrival_free(queue, arrival);
	else
		*ret_arrival = arrival;
	return r;
}

static int await_type(struct sysv_queue *queue, long type, uid_t uid)
{
	struct arrival *arrival;
	int r;

	DL_FOREACH(queue->awaited, arrival) {
		if (arrival->type == type)
			return 0;
	}
	r = start_arrival(queue, type, uid, await_message, arrival_ended, &arrival);
	if (r == 0)
		DL_APPEND(queue->awaited, arrival);
	return r;
}

/* Whether `file` is polled for a message that it can't have yet. */
static bool is_watched(struct file *file)
{
	return file_reads(file) && !(channel_poll(file) & EPOLLIN);
}

static bool is_wanted(struct channel *channel, long type)
{
	struct transfer *reader;
	struct file *file;

	DL_FOREACH(channel->readers, reader) {
		if (sysv_queue_type(reader->file) == type)
			return true;
	}
	DL_FOREACH(channel->polled, file) {
		if (sysv_queue_type(file) == type && is_watched(file))
			return true;
	}
	return false;
}

static void attend_readers(struct sysv_queue *queue)
{
	struct channel *channel = &queue->sysv.channel;
	struct transfer *reader, *next;
	struct arrival *arrival;
	struct file *file;
	int r;

	DL_FOREACH(queue->awaited, arrival) {
		if (!is_wanted(channel, arrival->type))
			sleeper_stop(&arrival->sleeper);
	}
	DL_FOREACH_SAFE(channel->readers, reader, next) {
		r = await_type(queue, sysv_queue_type(reader->file), reader->file->uid);
		if (r < 0)
			transfer_finish(reader, r);
	}
	DL_FOREACH(channel->polled, file) {
		if (is_watched(file))
			await_type(queue, sysv_queue_type(file), file->uid);
	}
}

static void attend_room(struct sysv_queue *queue)
{
	const struct channel *channel = &queue->sysv.channel;
	struct file *file, *waits = NULL;

	DL_FOREACH(channel->polled, file) {
		/*
		 * Waiting writers get the room first. Pollers are told when those writers have
		 * finished.
		 */
		if (!channel->writers && file_writes(file) && !(channel_poll(file) & EPOLLOUT))
			waits = file;
	}
	if (!waits && queue->room)
		sleeper_stop(&queue->room->sleeper);
	else if (waits && !queue->room)
		start_arrival(queue, 0, waits->uid, await_room, room_ended, &queue->room);
}

void sysv_queue_attend(struct channel *channel)
{
	struct sysv_queue *queue = sysv_queue_from(channel);

	sysv_queue_attend_empties(queue);
	attend_readers(queue);
	attend_room(queue);
}

/* Looks as the file's opener, because an empty message is taken. */
static int look_for_type(struct file *file, const union sysv_data *data, struct arrival *arrival)
{
	int r = sysv_enter(file, data);

	if (r < 0)
		return r;
	r = look_for_message(arrival, IPC_NOWAIT);
	caller_leave();
	return r;
}

int sysv_queue_has_message(struct file *file)
{
	struct sysv_queue *queue = sysv_queue_from(file->channel);
	long type = sysv_queue_type(file);
	struct arrival *arrival;
	union sysv_data data;
	int r;

	if (sysv_queue_has_empty(queue, type))
		return true;
	r = sysv_data(&queue->sysv, &data);
	if (r < 0 || type == 0)
		return r < 0 ? r : data.queue.msg_qnum > 0;
	arrival = calloc(1, sizeof(*arrival));
	if (!arrival)
		return -ENOMEM;
	arrival->queue = queue->sysv.identity;
	arrival->type = type;
	sysv_arrival_place(queue, arrival);
	r = look_for_type(file, &data, arrival);
	if (!arrival->is_taken) {
		sysv_arrival_free(queue, arrival);
		return r;
	}
	DL_APPEND(queue->empties, arrival);
	channel_wake(&queue->sysv.channel, EPOLLIN);
	channel_attend(&queue->sysv.channel);
	return r;
}

int sysv_queue_has_room(struct sysv_queue *queue)
{
	union sysv_data data;
	int r = sysv_data(&queue->sysv, &data);

	return r < 0 ? r : has_room(&data);
}
