// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A value is the last message of a key-value bucket of its own, which other clients of NATS can use
 * as well. A write stores a new one as a whole. A read gives it as one message, and then an end,
 * which is what a file with that content would give.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/kinds/cluster/cluster_sender.h"
#include "lib/kinds/cluster/value_reader.h"
#include "lib/kinds/kinds.h"

enum { VALUE_HISTORY, VALUE_MAXBYTES, VALUE_MSGSIZE, VALUE_REPLICAS };

static const struct parameter value_parameters[] = {
	[VALUE_HISTORY] = {"history", PARAMETER_NUMBER, .min = 1, .max = CLUSTER_HISTORY_MAX},
	[VALUE_MAXBYTES] = {"maxbytes", PARAMETER_SIZE, .min = HOST_PAGE, .max = INT64_MAX},
	[VALUE_MSGSIZE] = {"msgsize", PARAMETER_SIZE, .min = 1, .max = HOST_IO_MAX - HOST_PAGE},
	[VALUE_REPLICAS] = {"replicas", PARAMETER_NUMBER, .min = 1, .max = CLUSTER_REPLICAS_MAX},
	{.name = NULL},
};

struct cluster_value *cluster_value_from(struct channel *channel)
{
	struct cluster_object *object = cluster_object_from(channel);

	assert(object->sort == CLUSTER_VALUES);
	return CONTAINER_OF(object, struct cluster_value, object);
}

static struct value_file *state_of(const struct file *file)
{
	return file->state;
}

static struct value_reader *reader_of(const struct file *file)
{
	return state_of(file)->reader;
}

static int value_open(struct file *file, struct caller *caller)
{
	CLEANUP_FREE struct value_file *state = calloc(1, sizeof(*state));
	struct cluster_value *value = cluster_value_from(file->channel);
	int r = state ? 0 : -ENOMEM;

	if (r == 0 && file_reads(file))
		r = value_reader_new(file, &state->reader);
	if (r < 0)
		return r;
	if (state->reader)
		DL_APPEND(value->readers, state->reader);
	file->state = TAKE_PTR(state);
	return 0;
}

static void value_release(struct file *file)
{
	struct cluster_value *value = cluster_value_from(file->channel);
	struct value_reader *reader = reader_of(file);

	if (reader)
		DL_DELETE(value->readers, reader);
	value_reader_free(reader);
	if (!value->readers)
		consumer_restart(&value->watch);
	publication_free(state_of(file)->pending);
	free(file->state);
}

/*
 * Lends the value. One that the read has no room for is copied: the rest stays with the file. The
 * end, and a value that is empty, are both nothing.
 */
static ssize_t value_lend(struct file *file, size_t size, struct pieces *pieces)
{
	const struct stored_message *message;
	int r = value_reader_next(reader_of(file), &message);

	if (r < 0 || !message)
		return r;
	if (message->size > size) {
		file->channel->message_max = message->size;
		return -EOPNOTSUPP;
	}
	pieces->iov[0] = (struct iovec){message->data, message->size};
	pieces->n = 1;
	return (ssize_t)message->size;
}

static void value_take(struct file *file, size_t size)
{
	value_reader_take(reader_of(file));
}

static ssize_t value_read(struct file *file, void *data, size_t size, off_t offset)
{
	const struct stored_message *message;
	size_t n;
	int r = value_reader_next(reader_of(file), &message);

	if (r < 0 || !message)
		return r;
	n = message->size;
	if (n > size || n > file->channel->message_max) {
		file->channel->message_max = n;
		return -EMSGSIZE;
	}
	memcpy(data, message->data, n);
	file->channel->space->host->journal->size = n;
	STATE_ORDER();
	value_reader_take(reader_of(file));
	return (ssize_t)n;
}

static void value_finished(struct file *file, bool is_given)
{
	if (!is_given)
		value_reader_untake(reader_of(file));
}

static ssize_t value_write(struct file *file, const void *data, size_t size, off_t offset)
{
	return publication_write(file, &state_of(file)->pending, data, size);
}

static uint32_t value_poll(struct file *file)
{
	struct value_reader *reader = reader_of(file);
	uint32_t events = 0;

	if (reader && value_reader_poll(reader))
		events |= EPOLLIN | EPOLLRDNORM;
	if (file_writes(file))
		events |= publication_poll(file, state_of(file)->pending);
	return events;
}

static void value_attend(struct channel *channel)
{
	value_watch_attend(cluster_value_from(channel));
}

static const struct channel_ops value_ops = {
	.traits = CHANNEL_MESSAGES | CHANNEL_SELECTIVE_READS | CHANNEL_SELECTIVE_WRITES |
		  CHANNEL_WRITES_BY_JOB | CHANNEL_WRITES_ARE_JOBS,
	.destroy = cluster_object_destroy,
	.stat = cluster_object_stat,
	.change = cluster_object_change,
	.truncate = cluster_object_truncate,
	.open = value_open,
	.release = value_release,
	.read = value_read,
	.finished = value_finished,
	.lend = value_lend,
	.take = value_take,
	.write = value_write,
	.poll = value_poll,
	.attend = value_attend,
	.status = cluster_value_status,
	.peek = cluster_object_peek,
	.measure = cluster_value_measure,
	.set = cluster_object_set,
	.save = cluster_object_save,
	.adopt = cluster_object_adopt,
	.adopt_file = cluster_value_adopt_file,
	.position = cluster_value_position,
};

static void value_init(struct cluster_object *object)
{
	value_watch_init(CONTAINER_OF(object, struct cluster_value, object));
}

static void value_unnamed(struct cluster_object *object)
{
	struct cluster_value *value = CONTAINER_OF(object, struct cluster_value, object);
	struct value_reader *reader;

	consumer_restart(&value->watch);
	DL_FOREACH(value->readers, reader) {
		value_reader_end(reader);
	}
	sender_end_all(object, -EIDRM);
	channel_wake(&object->channel, EPOLLIN | EPOLLOUT);
}

static void value_fini(struct cluster_object *object)
{
	value_watch_fini(CONTAINER_OF(object, struct cluster_value, object));
}

static int value_apply(const struct settings *given, struct cluster_settings *settings)
{
	if (settings_has(given, VALUE_HISTORY))
		settings->history = given->values[VALUE_HISTORY];
	if (settings_has(given, VALUE_MAXBYTES))
		settings->maxbytes = given->values[VALUE_MAXBYTES];
	if (settings_has(given, VALUE_MSGSIZE))
		settings->msgsize = given->values[VALUE_MSGSIZE];
	if (settings_has(given, VALUE_REPLICAS))
		settings->replicas = given->values[VALUE_REPLICAS];
	return 0;
}

static const char *value_explain(struct channel *channel, const char *name,
				 const struct settings *settings, int error)
{
	return cluster_explain(settings, VALUE_REPLICAS, error);
}

static const struct cluster_kind value_cluster_kind = {
	.sort = CLUSTER_VALUES,
	.object_size = sizeof(struct cluster_value),
	.init = value_init,
	.unnamed = value_unnamed,
	.fini = value_fini,
	.apply = value_apply,
};

static int value_space_open(struct space **ret_space, struct host *host)
{
	return cluster_space_open(ret_space, host, &cluster_value_kind, &value_cluster_kind);
}

const struct kind cluster_value_kind = {
	.path = "cluster/values",
	.is_remote = true,
	.parameters = value_parameters,
	.channel = &value_ops,
	.explain = value_explain,
	.open = value_space_open,
};
