// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cluster/queues: each message goes to one reader, on whichever machine.
 *
 * A queue is a work-queue stream, and one consumer, `readers`, from which all daemons pull. A
 * message is acknowledged, and then the server removes it, when a reader has been given its last
 * byte; if the reader's machine dies before, the server gives it to somebody else after ack_wait.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/journal.h"
#include "lib/kinds/cluster/cluster_queue.h"
#include "lib/kinds/cluster/cluster_sender.h"
#include "lib/kinds/kinds.h"

struct cluster_queue *cluster_queue_from(struct channel *channel)
{
	struct cluster_object *object = cluster_object_from(channel);

	assert(object->sort == CLUSTER_QUEUES);
	return CONTAINER_OF(object, struct cluster_queue, object);
}

static struct readers *readers_of(const struct file *file)
{
	return &cluster_queue_from(file->channel)->readers;
}

static int queue_open(struct file *file, struct caller *caller)
{
	struct queue_file *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	file->state = state;
	return 0;
}

static void queue_release(struct file *file)
{
	struct queue_file *state = file->state;

	publication_free(state->pending);
	free(state);
}

static void queue_finished(struct file *file, bool is_given)
{
	struct queue_file *state = file->state;

	cluster_queue_note_end(file, is_given);
	readers_finish(readers_of(file), &state->taking, is_given);
}

/*
 * Another client of NATS may have sent a message of any size. So what a read has to reserve is
 * known from the message that it will take. If there was no memory for what the former daemon was
 * about to give, the server gives it again.
 */
static int queue_next(struct file *file, const struct nats_delivery **ret_delivery)
{
	const struct queue_file *state = file->state;
	int r;

	if (state->taking.delivery) {
		file->is_unfinished = false;
		queue_finished(file, false);
	}
	r = readers_next(readers_of(file), ret_delivery);
	if (r == 0)
		file->channel->message_max = (*ret_delivery)->size;
	else if (r == -EAGAIN && (file->flags & O_NONBLOCK))
		readers_want(readers_of(file));
	return r;
}

/* An empty message is read, because nothing is taken after what was lent if that is nothing. */
static ssize_t queue_lend(struct file *file, size_t size, struct pieces *pieces)
{
	const struct nats_delivery *delivery;
	int r = queue_next(file, &delivery);

	if (r < 0)
		return r;
	if (delivery->size == 0 || delivery->size > size)
		return -EOPNOTSUPP;
	cluster_queue_note(file, delivery);
	pieces->iov[0] = (struct iovec){(void *)delivery->data, delivery->size};
	pieces->n = 1;
	return (ssize_t)delivery->size;
}

static void queue_take(struct file *file, size_t size)
{
	struct queue_file *state = file->state;

	readers_take(readers_of(file), &state->taking);
	cluster_queue_note_taken(file, true);
	readers_finish(readers_of(file), &state->taking, true);
}

static ssize_t queue_read(struct file *file, void *data, size_t size, off_t offset)
{
	struct queue_file *state = file->state;
	const struct nats_delivery *delivery;
	size_t known = file->channel->message_max;
	int r = queue_next(file, &delivery);

	if (r < 0)
		return r;
	if (delivery->size > size || delivery->size > known)
		return -EMSGSIZE;
	memcpy(data, delivery->data, delivery->size);
	cluster_queue_note(file, delivery);
	file->channel->space->host->journal->size = delivery->size;
	STATE_ORDER();
	readers_take(readers_of(file), &state->taking);
	cluster_queue_note_taken(file, false);
	return (ssize_t)state->taking.delivery->size;
}

static ssize_t queue_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct queue_file *state = file->state;

	return publication_write(file, &state->pending, data, size);
}

static uint32_t queue_poll(struct file *file)
{
	const struct queue_file *state = file->state;
	const struct nats_delivery *delivery;
	uint32_t events = publication_poll(file, state->pending);

	if (file_reads(file) && readers_next(readers_of(file), &delivery) != -EAGAIN)
		events |= EPOLLIN | EPOLLRDNORM;
	return events;
}

static void queue_attend(struct channel *channel)
{
	readers_attend(&cluster_queue_from(channel)->readers);
}

/*
 * The question about the consumer goes first, and nobody waits for it: its answer comes before that
 * to the question about the stream.
 */
static int queue_measure(struct channel *channel, struct caller *caller, const struct row *row)
{
	readers_look(&cluster_queue_from(channel)->readers);
	return cluster_object_measure(channel, caller, row);
}

static void queue_status(struct channel *channel, struct caller *caller, struct row *row)
{
	const struct readers *readers = &cluster_queue_from(channel)->readers;
	struct stat attr = {0};

	cluster_object_status(channel, caller, row);
	cluster_object_stat(channel, &attr);
	if (!caller_may(caller, &attr, R_OK))
		return;
	if (!row->has_no_measure && readers->looked) {
		row_add_number(row, "pending", readers->look.n_pending);
		row_add_number(row, "unacked", readers->look.n_unacked);
		row_add_number(row, "redelivered", readers->look.n_redelivered);
		row_add_number(row, "pulls", readers->look.n_waiting);
	}
	row_add_number(row, "taken-here", readers->n_taken);
	row_add_number(row, "returned-here", readers->n_returned);
	row_add_number(row, "redelivered-here", readers->n_again);
}

static const struct channel_ops queue_ops = {
	.traits = CHANNEL_MESSAGES | CHANNEL_SELECTIVE_WRITES | CHANNEL_WRITES_BY_JOB |
		  CHANNEL_WRITES_ARE_JOBS | CHANNEL_HAS_TAP,
	.destroy = cluster_object_destroy,
	.stat = cluster_object_stat,
	.change = cluster_object_change,
	.truncate = cluster_object_truncate,
	.open = queue_open,
	.release = queue_release,
	.read = queue_read,
	.finished = queue_finished,
	.lend = queue_lend,
	.take = queue_take,
	.write = queue_write,
	.poll = queue_poll,
	.attend = queue_attend,
	.status = queue_status,
	.measure = queue_measure,
	.peek = cluster_object_peek,
	.set = cluster_object_set,
	.save = cluster_object_save,
	.adopt = cluster_object_adopt,
	.adopt_file = cluster_queue_adopt_file,
	.position = cluster_queue_position,
};

enum { QUEUE_MAXMSG, QUEUE_MAXBYTES, QUEUE_MSGSIZE, QUEUE_REPLICAS, QUEUE_ACK_WAIT };

/* Messages may be as long as the server allows, which is 64 MiB at most (its max_payload). */
static const struct parameter queue_parameters[] = {
	[QUEUE_MAXMSG] = {.name = "maxmsg", .type = PARAMETER_NUMBER, .min = 1, .max = INT32_MAX},
	[QUEUE_MAXBYTES] = {.name = "maxbytes",
			    .type = PARAMETER_SIZE,
			    .min = HOST_PAGE,
			    .max = INT64_MAX},
	[QUEUE_MSGSIZE] = {.name = "msgsize",
			   .type = PARAMETER_SIZE,
			   .min = 1,
			   .max = HOST_IO_MAX - HOST_PAGE},
	[QUEUE_REPLICAS] = {.name = "replicas",
			    .type = PARAMETER_NUMBER,
			    .min = 1,
			    .max = CLUSTER_REPLICAS_MAX},
	[QUEUE_ACK_WAIT] = {.name = "ack_wait", .type = PARAMETER_NUMBER, .min = 1, .max = 86400},
	{0},
};

static int queue_apply(const struct settings *given, struct cluster_settings *settings)
{
	if (settings_has(given, QUEUE_MAXMSG))
		settings->maxmsg = given->values[QUEUE_MAXMSG];
	if (settings_has(given, QUEUE_MAXBYTES))
		settings->maxbytes = given->values[QUEUE_MAXBYTES];
	if (settings_has(given, QUEUE_MSGSIZE))
		settings->msgsize = given->values[QUEUE_MSGSIZE];
	if (settings_has(given, QUEUE_REPLICAS))
		settings->replicas = given->values[QUEUE_REPLICAS];
	if (settings_has(given, QUEUE_ACK_WAIT))
		settings->ack_wait = given->values[QUEUE_ACK_WAIT] * CLOCK_S;
	return 0;
}

static const char *queue_explain(struct channel *channel, const char *name,
				 const struct settings *settings, int error)
{
	return cluster_explain(settings, QUEUE_REPLICAS, error);
}

static void queue_init(struct cluster_object *object)
{
	struct cluster_queue *queue = CONTAINER_OF(object, struct cluster_queue, object);

	readers_init(&queue->readers, object);
}

static void queue_unnamed(struct cluster_object *object)
{
	struct cluster_queue *queue = CONTAINER_OF(object, struct cluster_queue, object);

	readers_end(&queue->readers);
	sender_end_all(object, -EIDRM);
}

static void queue_fini(struct cluster_object *object)
{
	struct cluster_queue *queue = CONTAINER_OF(object, struct cluster_queue, object);

	readers_fini(&queue->readers);
}

static const struct cluster_kind queue_cluster_kind = {
	.sort = CLUSTER_QUEUES,
	.object_size = sizeof(struct cluster_queue),
	.init = queue_init,
	.unnamed = queue_unnamed,
	.fini = queue_fini,
	.apply = queue_apply,
};

static int queue_space_open(struct space **ret_space, struct host *host)
{
	return cluster_space_open(ret_space, host, &cluster_queue_kind, &queue_cluster_kind);
}

const struct kind cluster_queue_kind = {
	.path = "cluster/queues",
	.is_remote = true,
	.parameters = queue_parameters,
	.channel = &queue_ops,
	.explain = queue_explain,
	.open = queue_space_open,
};
