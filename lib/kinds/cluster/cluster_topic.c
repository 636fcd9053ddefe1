// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A topic is a stream that drops its oldest messages when it is full. An open for reading asks for
 * the stream's last sequence, so that it gets all that is written from then on, although its
 * consumer is made only when it is first read.
 */
#include "lib/kinds/cluster/cluster_topic.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/host/thread.h"
#include "lib/kinds/cluster/cluster_sender.h"
#include "lib/kinds/kinds.h"

struct cluster_topic *cluster_topic_from(struct channel *channel)
{
	struct cluster_object *object = cluster_object_from(channel);

	assert(object->sort == CLUSTER_TOPICS);
	return CONTAINER_OF(object, struct cluster_topic, object);
}

static struct topic_file *state_of(const struct file *file)
{
	return file->state;
}

static struct subscription *subscription_of(const struct file *file)
{
	return state_of(file)->subscription;
}

void cluster_topic_subscribe(struct file *file, struct subscription *subscription)
{
	DL_APPEND(cluster_topic_from(file->channel)->subscriptions, subscription);
	state_of(file)->subscription = subscription;
}

static int open_reader(struct file *file, const struct stream_look *look, pid_t pid)
{
	const struct cluster_topic *topic = cluster_topic_from(file->channel);
	struct selector selector = file_selector(file);
	uint64_t start = cluster_topic_start(topic, &selector, look);
	struct subscription *subscription;
	int r = subscription_new(file, start, &subscription);

	if (r < 0)
		return r;
	subscription->pid = pid;
	cluster_topic_note_begin(file, start, pid);
	cluster_topic_subscribe(file, subscription);
	return 0;
}

static int topic_open(struct file *file, struct caller *caller)
{
	struct cluster_topic *topic = cluster_topic_from(file->channel);
	struct stream_look look = {0};
	int r = 0;

	if (file_selector(file).is_set && !file_reads(file))
		return -EINVAL;
	if (!topic->object.is_named)
		return -EIDRM;
	if (file_reads(file))
		r = cluster_look(&topic->object, caller, &look);
	if (r < 0)
		return r;
	file->state = calloc(1, sizeof(struct topic_file));
	if (!file->state)
		return -ENOMEM;
	if (file_reads(file))
		r = open_reader(file, &look, thread_process(caller->pid, 0));
	if (r < 0)
		free(TAKE_PTR(file->state));
	return r;
}

static void topic_release(struct file *file)
{
	struct cluster_topic *topic = cluster_topic_from(file->channel);
	struct subscription *subscription = subscription_of(file);

	if (subscription)
		DL_DELETE(topic->subscriptions, subscription);
	subscription_free(subscription);
	publication_free(state_of(file)->pending);
	free(file->state);
}

/*
 * Lends the next message. An empty one, or one that the read has no room for, is copied: the rest
 * stays with the file. The memory that this takes is as much as this message needs, since others
 * may send longer ones than the topic allows.
 */
static ssize_t topic_lend(struct file *file, size_t size, struct pieces *pieces)
{
	const struct nats_delivery *message;
	int r = subscription_peek(subscription_of(file), &message);

	if (r < 0)
		return r;
	if (message->size == 0 || message->size > size) {
		file->channel->message_max = message->size;
		return -EOPNOTSUPP;
	}
	cluster_topic_note_next(file, message);
	pieces->iov[0] = (struct iovec){(void *)message->data, message->size};
	pieces->n = 1;
	return (ssize_t)message->size;
}

static void topic_take(struct file *file, size_t size)
{
	cluster_topic_note_take(file);
	subscription_take(subscription_of(file));
	subscription_finish(subscription_of(file), true);
}

static ssize_t topic_read(struct file *file, void *data, size_t size, off_t offset)
{
	const struct nats_delivery *message;
	int r = subscription_peek(subscription_of(file), &message);

	if (r < 0)
		return r;
	if (message->size > size) {
		file->channel->message_max = message->size;
		return -EMSGSIZE;
	}
	memcpy(data, message->data, message->size);
	cluster_topic_note_next(file, message);
	file->channel->space->host->journal->size = message->size;
	STATE_ORDER();
	cluster_topic_note_take(file);
	subscription_take(subscription_of(file));
	return (ssize_t)message->size;
}

static void topic_finished(struct file *file, bool is_given)
{
	if (!is_given)
		cluster_topic_note_untake(file);
	subscription_finish(subscription_of(file), is_given);
}

static ssize_t topic_write(struct file *file, const void *data, size_t size, off_t offset)
{
	return publication_write(file, &state_of(file)->pending, data, size);
}

static uint32_t topic_poll(struct file *file)
{
	struct subscription *subscription = subscription_of(file);
	uint32_t events = 0;

	if (subscription && subscription_poll(subscription))
		events |= EPOLLIN | EPOLLRDNORM;
	if (subscription && !subscription->messages &&
	    (subscription->error || !subscription->consumer.object->is_named))
		events |= EPOLLERR;
	if (file_writes(file))
		events |= publication_poll(file, state_of(file)->pending);
	return events;
}

/* The stream is deleted, and the consumers with it. What has come can still be read. */
static void topic_unnamed(struct cluster_object *object)
{
	struct cluster_topic *topic = CONTAINER_OF(object, struct cluster_topic, object);
	struct subscription *subscription;

	DL_FOREACH(topic->subscriptions, subscription) {
		consumer_restart(&subscription->consumer);
	}
	sender_end_all(object, -EIDRM);
	channel_wake(&object->channel, EPOLLIN | EPOLLOUT);
}

static const struct channel_ops topic_ops = {
	.traits = CHANNEL_MESSAGES | CHANNEL_SELECTIVE_READS | CHANNEL_SELECTIVE_WRITES |
		  CHANNEL_WRITES_BY_JOB | CHANNEL_WRITES_ARE_JOBS,
	.destroy = cluster_object_destroy,
	.stat = cluster_object_stat,
	.change = cluster_object_change,
	.truncate = cluster_object_truncate,
	.open = topic_open,
	.release = topic_release,
	.read = topic_read,
	.finished = topic_finished,
	.lend = topic_lend,
	.take = topic_take,
	.write = topic_write,
	.poll = topic_poll,
	.status = cluster_topic_status,
	.peek = cluster_object_peek,
	.measure = cluster_object_measure,
	.set = cluster_object_set,
	.save = cluster_object_save,
	.adopt = cluster_object_adopt,
	.adopt_file = cluster_topic_adopt_file,
	.position = cluster_topic_position,
};

static const struct cluster_kind topic_cluster_kind = {
	.sort = CLUSTER_TOPICS,
	.object_size = sizeof(struct cluster_topic),
	.unnamed = topic_unnamed,
	.apply = cluster_topic_apply,
};

static int topic_space_open(struct space **ret_space, struct host *host)
{
	return cluster_space_open(ret_space, host, &cluster_topic_kind, &topic_cluster_kind);
}

const struct kind cluster_topic_kind = {
	.path = "cluster/topics",
	.selector_max = INT_MAX,
	.is_remote = true,
	.parameters = cluster_topic_parameters,
	.channel = &topic_ops,
	.explain = cluster_topic_explain,
	.open = topic_space_open,
};
