// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages are pulled in batches, as long as somebody reads: the next batch when half of the last
 * one has been read. So a reader that has stopped costs one batch, and one that reads on rarely
 * waits for the network. Many readers of a topic have smaller batches.
 */
#include "lib/kinds/cluster/subscription.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/transfer.h"

/* A batch of one reader, and what the batches of all readers of a topic share. */
#define BATCH_MOST         64U
#define BATCH_LEAST        4U
#define BATCH_SHARED       4096U
#define BATCH_BYTES_MOST   ((size_t)1 << 20)
#define BATCH_BYTES_LEAST  ((size_t)1 << 16)
#define BATCH_BYTES_SHARED ((size_t)64 << 20)
/* What a message takes besides its data: libnats' structs, subjects. */
#define MESSAGE_OVERHEAD ((size_t)512)

static struct user_table *users_of(const struct subscription *subscription)
{
	return &subscription->file->channel->space->host->users;
}

static struct cluster_object *object_of(const struct subscription *subscription)
{
	return subscription->consumer.object;
}

static struct cluster_pull batch_of(const struct subscription *subscription)
{
	unsigned n_readers = subscription->file->channel->n_readers;
	struct cluster_pull batch = {BATCH_SHARED, BATCH_BYTES_SHARED};

	if (n_readers) {
		batch.n /= n_readers;
		batch.bytes /= n_readers;
	}
	batch.n = batch.n > BATCH_MOST ? BATCH_MOST : batch.n < BATCH_LEAST ? BATCH_LEAST : batch.n;
	if (batch.bytes > BATCH_BYTES_MOST)
		batch.bytes = BATCH_BYTES_MOST;
	else if (batch.bytes < BATCH_BYTES_LEAST)
		batch.bytes = BATCH_BYTES_LEAST;
	return batch;
}

/* Whether a request waits for messages of this file. */
static bool has_waiter(const struct subscription *subscription)
{
	const struct transfer *transfer;

	if (subscription->file->polled)
		return true;
	DL_FOREACH(subscription->file->channel->readers, transfer) {
		if (transfer->file == subscription->file)
			return true;
	}
	return false;
}

static bool subscription_wants(struct cluster_consumer *consumer, struct cluster_pull *ret_pull)
{
	struct subscription *subscription = CONTAINER_OF(consumer, struct subscription, consumer);
	struct cluster_pull batch = batch_of(subscription);

	if (subscription->n > batch.n / 2 || subscription->bytes > batch.bytes / 2)
		return false;
	if (!subscription->is_wanted && !has_waiter(subscription))
		return false;
	if (consumer_is_ready(consumer))
		subscription->is_wanted = false;
	*ret_pull =
		(struct cluster_pull){batch.n - subscription->n, batch.bytes - subscription->bytes};
	return true;
}

static void subscription_begin(struct cluster_consumer *consumer, struct api_consumer *config)
{
	config->start = CONTAINER_OF(consumer, struct subscription, consumer)->expected;
}

/* Ends the wait of all who read this file. The first of their reads gets the error. */
static void subscription_fail(struct subscription *subscription, int error)
{
	subscription->error = error;
	channel_wake(subscription->file->channel, EPOLLIN);
}

/*
 * A message that can't be charged is dropped: a new consumer brings it again when there is room. If
 * nothing else waits, nothing would ever make room, so the reader is told.
 */
static void refuse(struct subscription *subscription)
{
	consumer_restart(&subscription->consumer);
	if (!subscription->messages && !subscription->given)
		subscription_fail(subscription, -ENOBUFS);
}

/*
 * Without acknowledgements, a consumer gives each message once, in order, so one that is not newer
 * than the last is a duplicate. But the first of a new consumer may be older, if the stream itself
 * was made anew. What lies in between was deleted before it came here.
 */
static void subscription_delivered(struct cluster_consumer *consumer,
				   struct nats_delivery *delivery, bool is_first)
{
	struct subscription *subscription = CONTAINER_OF(consumer, struct subscription, consumer);
	uint64_t sequence = delivery->sequence;
	size_t charge = delivery->size + MESSAGE_OVERHEAD;

	if (sequence < subscription->expected && !is_first) {
		nats_delivery_free(delivery);
		return;
	}
	if (user_charge(users_of(subscription), subscription->file->uid, USER_STORED, charge) < 0) {
		nats_delivery_free(delivery);
		refuse(subscription);
		return;
	}
	if (sequence > subscription->expected)
		subscription->n_missed += sequence - subscription->expected;
	subscription->expected = sequence + 1;
	subscription->n++;
	subscription->bytes += delivery->size;
	DL_APPEND(subscription->messages, delivery);
	channel_wake(subscription->file->channel, EPOLLIN);
}

static void drop(struct subscription *subscription, struct nats_delivery *message)
{
	subscription->bytes -= message->size;
	user_uncharge(users_of(subscription), subscription->file->uid, USER_STORED,
		      message->size + MESSAGE_OVERHEAD);
	nats_delivery_free(message);
}

/* The reads have waited for the servers for as long as -o cluster_timeout= allows. */
static void subscription_expires(struct alarm *alarm)
{
	struct subscription *subscription = CONTAINER_OF(alarm, struct subscription, deadline);

	if (!consumer_is_ready(&subscription->consumer) && has_waiter(subscription))
		subscription_fail(subscription, -ETIMEDOUT);
}

static void set_deadline(struct subscription *subscription)
{
	struct cluster *cluster = object_of(subscription)->cluster;

	if (cluster->host->remote.timeout)
		alarm_set(cluster->alarms, &subscription->deadline,
			  clock_now() + cluster->host->remote.timeout);
}

static void subscription_lost(struct cluster_consumer *consumer)
{
	struct subscription *subscription = CONTAINER_OF(consumer, struct subscription, consumer);

	if (has_waiter(subscription) && !alarm_is_set(&subscription->deadline))
		set_deadline(subscription);
}

/* Asks for more. While there is no consumer, the time counts from the first that waits. */
static void subscription_want(struct subscription *subscription)
{
	subscription->is_wanted = true;
	consumer_tend(&subscription->consumer);
	if (!consumer_is_ready(&subscription->consumer) &&
	    (!alarm_is_set(&subscription->deadline) || !has_waiter(subscription)))
		set_deadline(subscription);
}

int subscription_peek(struct subscription *subscription, const struct nats_delivery **ret_message)
{
	int r;

	if (subscription->messages) {
		*ret_message = subscription->messages;
		return 0;
	}
	if (subscription->error) {
		r = subscription->error;
		subscription->error = 0;
		return r;
	}
	if (!object_of(subscription)->is_named)
		return -EIDRM;
	subscription_want(subscription);
	return -EAGAIN;
}

void subscription_take(struct subscription *subscription)
{
	subscription->given = subscription->messages;
	DL_DELETE(subscription->messages, subscription->given);
	subscription->n--;
}

void subscription_finish(struct subscription *subscription, bool is_given)
{
	struct nats_delivery *message = TAKE_PTR(subscription->given);

	if (is_given) {
		drop(subscription, message);
		subscription->is_wanted = true;
		consumer_tend(&subscription->consumer);
		return;
	}
	DL_PREPEND(subscription->messages, message);
	subscription->n++;
	channel_wake(subscription->file->channel, EPOLLIN);
}

bool subscription_poll(struct subscription *subscription)
{
	if (subscription->messages || subscription->error || !object_of(subscription)->is_named)
		return true;
	subscription_want(subscription);
	return false;
}

uint64_t subscription_behind(const struct subscription *subscription, uint64_t last)
{
	uint64_t to_come = last >= subscription->expected ? last + 1 - subscription->expected : 0;

	return to_come + subscription->n + (subscription->given ? 1 : 0);
}

int subscription_new(struct file *file, uint64_t start, struct subscription **ret_reader)
{
	struct subscription *subscription = calloc(1, sizeof(*subscription));

	if (!subscription)
		return -ENOMEM;
	subscription->file = file;
	subscription->expected = start;
	subscription->deadline.ring = subscription_expires;
	subscription->consumer.wants = subscription_wants;
	subscription->consumer.begin = subscription_begin;
	subscription->consumer.delivered = subscription_delivered;
	subscription->consumer.lost = subscription_lost;
	consumer_init(&subscription->consumer, cluster_object_from(file->channel));
	*ret_reader = subscription;
	return 0;
}

void subscription_free(struct subscription *subscription)
{
	struct nats_delivery *message, *next;

	if (!subscription)
		return;
	consumer_fini(&subscription->consumer);
	alarm_cancel(&subscription->deadline);
	if (subscription->given)
		drop(subscription, subscription->given);
	DL_FOREACH_SAFE(subscription->messages, message, next)
		drop(subscription, message);
	free(subscription);
}
