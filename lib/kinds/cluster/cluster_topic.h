/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Topics of the cluster: every reader, on whichever machine, gets every message in order.
 */
#ifndef IPCFS_CLUSTER_TOPIC_H
#define IPCFS_CLUSTER_TOPIC_H

#include "lib/kinds/cluster/subscription.h"
#include "lib/kinds/cluster/publication.h"

enum cluster_topic_parameter {
	CLUSTER_TOPIC_KEEP,
	CLUSTER_TOPIC_MAXBYTES,
	CLUSTER_TOPIC_MSGSIZE,
	CLUSTER_TOPIC_REPLICAS,
};

struct cluster_topic {
	struct cluster_object object;
	struct subscription *subscriptions;
};

/* file::state. */
struct topic_file {
	struct subscription *subscription; /* NULL: open for writing only */
	struct publication *pending;
};

struct cluster_topic *cluster_topic_from(struct channel *channel);
/* Gives a file the subscription that it reads. */
void cluster_topic_subscribe(struct file *file, struct subscription *subscription);

/*
 * What outlives the daemon of a file that reads, in cluster_topic_adopt.c. begin() says at which
 * sequence it begins; next() notes the message that it will take, take() that it has, in one store,
 * and untake() takes that back.
 */
void cluster_topic_note_begin(struct file *file, uint64_t start, pid_t pid);
void cluster_topic_note_next(struct file *file, const struct nats_delivery *message);
void cluster_topic_note_take(struct file *file);
void cluster_topic_note_untake(struct file *file);
/* For channel_ops. */
int cluster_topic_adopt_file(struct file *file);
uint64_t cluster_topic_position(struct file *file);

extern const struct parameter cluster_topic_parameters[];

/* For struct cluster_kind. */
int cluster_topic_apply(const struct settings *given, struct cluster_settings *settings);
/* For kind::explain. */
const char *cluster_topic_explain(struct channel *channel, const char *name,
				  const struct settings *settings, int error);
/* The longest text of keep=, with its end. */
#define CLUSTER_KEEP_TEXT 24
/* Writes what is kept in the way it is typed: a number of messages, or a size in K. */
void cluster_topic_keep_text(const struct cluster_settings *settings,
			     char ret_text[static CLUSTER_KEEP_TEXT]);
/* The sequence at which a reader begins: `n_back` messages before the end, or with what is kept. */
uint64_t cluster_topic_start(const struct cluster_topic *topic, const struct selector *n_back,
			     const struct stream_look *look);
/* For channel_ops. */
void cluster_topic_status(struct channel *channel, struct caller *caller, struct row *row);

#endif
