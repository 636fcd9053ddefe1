// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The watch of a value: a consumer of the sequence numbers alone, which begins with the value as it
 * is. It pulls only while somebody polls the value, and all who do share it.
 */
#include <sys/epoll.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/transfer.h"
#include "lib/kinds/cluster/value_reader.h"

/* How many changes are pulled at a time. */
#define CHANGES 16

static struct cluster_value *value_of(struct cluster_consumer *consumer)
{
	return CONTAINER_OF(consumer, struct cluster_value, watch);
}

static bool watch_wants(struct cluster_consumer *consumer, struct cluster_pull *ret_pull)
{
	const struct file *file;

	*ret_pull = (struct cluster_pull){.n = CHANGES};
	DL_FOREACH(consumer->object->channel.polled, file) {
		if (file_reads(file))
			return true;
	}
	return false;
}

static void watch_begin(struct cluster_consumer *consumer, struct api_consumer *config)
{
	config->is_last_per_subject = true;
	config->is_headers_only = true;
}

static void watch_delivered(struct cluster_consumer *consumer, struct nats_delivery *delivery,
			    bool is_first)
{
	value_of(consumer)->newest = delivery->sequence;
	nats_delivery_free(delivery);
	channel_wake(&consumer->object->channel, EPOLLIN);
	consumer_tend(consumer);
}

/* There may be many readers, and as many that wait: each list is gone through once. */
void value_watch_attend(struct cluster_value *value)
{
	const struct transfer *transfer;
	struct value_reader *reader;

	DL_FOREACH(value->readers, reader) {
		reader->is_waiting = false;
	}
	DL_FOREACH(value->object.channel.readers, transfer) {
		((struct value_file *)transfer->file->state)->reader->is_waiting = true;
	}
	DL_FOREACH(value->readers, reader) {
		value_reader_attend(reader, reader->is_waiting);
	}
	consumer_tend(&value->watch);
}

/* The consumer has its own listener; this one is for those who ask. */
static void watch_link_changed(struct nats_listener *listener, bool is_up)
{
	struct cluster_value *value = CONTAINER_OF(listener, struct cluster_value, listener);
	struct value_reader *reader;

	DL_FOREACH(value->readers, reader) {
		value_reader_link_changed(reader, is_up);
	}
}

void value_watch_init(struct cluster_value *value)
{
	value->watch.wants = watch_wants;
	value->watch.begin = watch_begin;
	value->watch.delivered = watch_delivered;
	value->listener.changed = watch_link_changed;
	consumer_init(&value->watch, &value->object);
	nats_link_listen(value->object.cluster->link, &value->listener);
}

void value_watch_fini(struct cluster_value *value)
{
	nats_link_unlisten(value->object.cluster->link, &value->listener);
	consumer_fini(&value->watch);
}
