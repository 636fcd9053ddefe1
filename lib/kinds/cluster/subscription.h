/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one reader of a topic has pulled and not yet read. A reader is an open file.
 */
#ifndef IPCFS_SUBSCRIPTION_H
#define IPCFS_SUBSCRIPTION_H

#include "lib/kinds/cluster/cluster_consumer.h"

struct subscription {
	struct file *file;
	struct cluster_consumer consumer;
	struct nats_delivery *messages;   /* oldest first */
	struct nats_delivery *given;      /* was read, but has perhaps not arrived; or NULL */
	unsigned n;                       /* of `messages` */
	size_t bytes;                     /* their sizes together, also of the one that was given */
	uint64_t expected;                /* the sequence after the last that has come */
	uint64_t n_missed;                /* had gone from the stream before they came */
	bool is_wanted;                   /* somebody has asked for more */
	int error;                        /* for the next read; 0: none */
	pid_t pid;                        /* the process that opened it; 0: unknown */
	struct alarm deadline;            /* of the reads that wait without a consumer */
	struct subscription *prev, *next; /* cluster_topic::subscriptions */
};

/* Begins at the sequence `start`. Nothing is sent before the first read. */
int subscription_new(struct file *file, uint64_t start, struct subscription **ret_reader);
void subscription_free(struct subscription *subscription); /* NULL: does nothing */

/*
 * Finds the next message, which stays where it is. Fails with -EAGAIN if there is none yet: the
 * channel is woken when it comes; -EIDRM if there never will be; -ETIMEDOUT or -ENOBUFS.
 */
int subscription_peek(struct subscription *subscription, const struct nats_delivery **ret_message);
/* Takes this message out, until subscription_finish() says whether it has been given. */
void subscription_take(struct subscription *subscription);
void subscription_finish(struct subscription *subscription, bool is_given);

/* Whether a read would not wait. If it would, messages are asked for. */
bool subscription_poll(struct subscription *subscription);
/* How many messages it has not been given, if `last` is the stream's newest. */
uint64_t subscription_behind(const struct subscription *subscription, uint64_t last);

#endif
