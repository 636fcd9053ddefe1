/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A consumer of an object's stream for one reader alone, without acknowledgements: it is made when
 * messages are first wanted, and again whenever it is lost, be it with the link, with its server,
 * or because nobody has pulled for a minute. Its messages come in the order of the stream.
 */
#ifndef IPCFS_CLUSTER_CONSUMER_H
#define IPCFS_CLUSTER_CONSUMER_H

#include "lib/kinds/cluster/cluster.h"
#include "lib/kinds/cluster/cluster_alarm.h"
#include "lib/kinds/cluster/cluster_repair.h"

/* How many messages to pull, of together how many bytes. */
struct cluster_pull {
	unsigned n;
	size_t bytes;
};

enum consumer_state {
	CONSUMER_NONE,
	CONSUMER_MAKING,
	CONSUMER_READY,
	CONSUMER_PAUSED, /* it failed, and will be made again in a while */
};

#define CONSUMER_NAME_SIZE 32

/* Part of its owner's memory. */
struct cluster_consumer {
	/* Returns whether messages are wanted now, and how many. */
	bool (*wants)(struct cluster_consumer *consumer, struct cluster_pull *ret_pull);
	/* Says where a consumer that is made now begins: `start` or `is_last_per_subject`. */
	void (*begin)(struct cluster_consumer *consumer, struct api_consumer *config);
	/*
	 * Takes over a message. `is_first`: the consumer has just been made, so its sequence may be
	 * anything. May call consumer_restart().
	 */
	void (*delivered)(struct cluster_consumer *consumer, struct nats_delivery *delivery,
			  bool is_first);
	/* The consumer is lost, and may take long to be made again. NULL: nobody needs to know. */
	void (*lost)(struct cluster_consumer *consumer);
	/* From here on the consumer's own. */
	struct cluster_object *object;
	enum consumer_state state;
	char name[CONSUMER_NAME_SIZE];
	bool is_fresh;       /* it has given nothing yet */
	bool is_large;       /* the next message is longer than what is pulled at a time */
	unsigned n_came;     /* messages since the last pull */
	unsigned n_failures; /* one after the other */
	struct nats_ask ask;
	struct nats_feed feed;
	struct nats_listener listener;
	struct alarm alarm;   /* the end of the pause, or the pull's */
	struct repair repair; /* of a stream that is not there */
};

/* Sets up a consumer whose functions are set, and the rest zero. Nothing is sent. */
void consumer_init(struct cluster_consumer *consumer, struct cluster_object *object);
void consumer_fini(struct cluster_consumer *consumer);

/* Pulls what is wanted, and makes the consumer first if there is none. */
void consumer_tend(struct cluster_consumer *consumer);
/* Ends the consumer: what still comes is dropped, and consumer_tend() makes a new one. */
void consumer_restart(struct cluster_consumer *consumer);
static inline bool consumer_is_ready(const struct cluster_consumer *consumer)
{
	return consumer->state == CONSUMER_READY;
}

#endif
