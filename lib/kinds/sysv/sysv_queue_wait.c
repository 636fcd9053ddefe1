// SPDX-License-Identifier: GPL-2.0-or-later
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

/* How often who polls for room has it looked for, which no call waits for: ns. */
#define ROOM_AGAIN 20000000

/* A message of one type (0: of any) that is waited for; or an empty one that came. */
struct arrival {
	struct sleeper sleeper;
	int id;
	long type;
	bool is_taken;               /* an empty message of this type has been taken */
	struct arrival *prev, *next; /* sysv_queue::awaited or empties */
};

/* 1: a message is there; an empty one has then been taken. */
static int look_for_message(struct arrival *arrival, int flags)
{
	struct {
		long type;
		char text[1];
	} empty;

	if (msgrcv(arrival->id, &empty, 0, arrival->type, flags) == 0) {
		arrival->type = empty.type;
		arrival->is_taken = true;
		return 1;
	}
	return errno == E2BIG ? 1 : errno == ENOMSG ? 0 : sysv_error(-errno);
}

static int await_message(struct sleeper *sleeper)
{
	return look_for_message(CONTAINER_OF(sleeper, struct arrival, sleeper), 0);
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
		free(arrival);
	channel_attend(channel);
}

static int await_room(struct sleeper *sleeper)
{
	const struct timespec again = {.tv_nsec = ROOM_AGAIN};
	struct arrival *arrival = CONTAINER_OF(sleeper, struct arrival, sleeper);
	struct msqid_ds data;

	if (msgctl(arrival->id, IPC_STAT, &data) < 0)
		return sysv_error(-errno);
	if (data.__msg_cbytes < data.msg_qbytes && data.msg_qnum < data.msg_qbytes)
		return 1;
	nanosleep(&again, NULL);
	return -EINTR;
}

static void room_ended(struct sleeper *sleeper)
{
	struct channel *channel = sleeper->channel;

	free(TAKE_PTR(sysv_queue_from(channel)->room));
	channel_wake(channel, EPOLLOUT);
	channel_attend(channel);
}

static int send_act(void *data)
{
	const struct sysv_message *message = data;

	return msgsnd((int)message->id, &message->kernel, message->size, 0) < 0 ? sysv_error(-errno)
										: 0;
}

/* As the caller, who pays for the thread and waits for it. */
static int send_by_job(struct sysv_queue *queue, struct caller *caller,
		       struct sysv_message *message)
{
	return job_run(queue->sysv.channel.space->host, caller,
		       &(struct job_call){.place = JOB_SLEEPER,
					  .act = send_act,
					  .data = message,
					  .size = sizeof(*message) + message->size});
}

/* What the kernel means by its refusal of a message of this size. */
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

ssize_t sysv_queue_send(struct sysv_queue *queue, struct file *file, struct sysv_message *message)
{
	struct caller caller = {.uid = file->uid, .waiter = file->waiter};
	int r = -EAGAIN;

	/* Not before its job has told what became of it. */
	if (!file->waiter || !file->waiter->job)
		r = msgsnd((int)message->id, &message->kernel, message->size, IPC_NOWAIT) < 0
			    ? explain(queue, errno, message->size)
			    : 0;
	if (r == -EAGAIN && file->waiter)
		r = send_by_job(queue, &caller, message);
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
	arrival->id = queue->sysv.id;
	arrival->type = type;
	r = sleeper_start(&arrival->sleeper, &queue->sysv.channel, uid);
	if (r < 0)
		free(arrival);
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

/* Does `file` wait for messages that it can't have yet? */
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
		/* Behind a writer there may be room that is not for them: they hear of his end. */
		if (!channel->writers && file_writes(file) && !(channel_poll(file) & EPOLLOUT))
			waits = file;
	}
	if (!waits && queue->room)
		sleeper_stop(&queue->room->sleeper);
	else if (waits && !queue->room)
		start_arrival(queue, 0, waits->uid, await_room, room_ended, &queue->room);
}

/* A waiter takes it soon, or hears of it, after the wake-up that came with it. */
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

/* True if the queue has it again, or is gone. */
static bool put_back(struct sysv_queue *queue, const struct arrival *empty)
{
	struct {
		long type;
		char text[1];
	} message = {.type = empty->type};

	return msgsnd(queue->sysv.id, &message, 0, IPC_NOWAIT) == 0 || errno != EAGAIN;
}

/* An empty message has gone back, or its queue has gone. */
static void resume_returning(struct waiter *waiter)
{
	struct sysv_queue *queue = CONTAINER_OF(waiter, struct sysv_queue, returning);

	waiter_fini(waiter);
	queue->is_returning = false;
	channel_wake(&queue->sysv.channel, EPOLLIN | EPOLLOUT);
	channel_attend(&queue->sysv.channel);
	channel_unref(&queue->sysv.channel);
}

/* The queue is full: a thread puts it back when there is room. False if none could be had. */
static bool return_later(struct sysv_queue *queue, const struct arrival *empty)
{
	struct caller caller = {.uid = empty->sleeper.uid, .waiter = &queue->returning};
	struct sysv_message message = {.id = queue->sysv.id};

	if (queue->is_returning)
		return false;
	message.kernel.type = empty->type;
	queue->is_returning = send_by_job(queue, &caller, &message) == -EINPROGRESS;
	if (queue->is_returning)
		channel_ref(&queue->sysv.channel);
	return queue->is_returning;
}

static void attend_empties(struct sysv_queue *queue)
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

void sysv_queue_attend(struct channel *channel)
{
	struct sysv_queue *queue = sysv_queue_from(channel);

	attend_empties(queue);
	attend_readers(queue);
	attend_room(queue);
}

bool sysv_queue_take_empty(struct sysv_queue *queue, long type)
{
	struct arrival *empty;

	DL_FOREACH(queue->empties, empty) {
		if (type != 0 && empty->type != type)
			continue;
		DL_DELETE(queue->empties, empty);
		free(empty);
		return true;
	}
	return false;
}

int sysv_queue_has_message(struct sysv_queue *queue, long type)
{
	struct arrival *arrival, *empty;
	union sysv_data data;
	int r;

	DL_FOREACH(queue->empties, empty) {
		if (type == 0 || empty->type == type)
			return true;
	}
	if (type == 0) {
		r = sysv_data(&queue->sysv, &data);
		return r < 0 ? r : data.queue.msg_qnum > 0;
	}
	arrival = calloc(1, sizeof(*arrival));
	if (!arrival)
		return -ENOMEM;
	arrival->id = queue->sysv.id;
	arrival->type = type;
	r = look_for_message(arrival, IPC_NOWAIT);
	if (!arrival->is_taken) {
		free(arrival);
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

	if (r < 0)
		return r;
	return data.queue.__msg_cbytes < data.queue.msg_qbytes &&
	       data.queue.msg_qnum < data.queue.msg_qbytes;
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
