/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of the cluster: a text that all machines read and replace as a whole.
 */
#ifndef IPCFS_CLUSTER_VALUE_H
#define IPCFS_CLUSTER_VALUE_H

#include "lib/kinds/cluster/cluster_consumer.h"
#include "lib/kinds/cluster/publication.h"

struct value_reader;

/* What was last found out for info/. */
struct value_look {
	struct stream_look stream;
	uint64_t revision; /* 0: there is no value */
	uint64_t size;
	int64_t time; /* when it was written, CLOCK_REALTIME, nanoseconds */
};

struct cluster_value {
	struct cluster_object object;
	struct value_reader *readers;
	struct cluster_consumer watch; /* tells of changes, while somebody polls */
	uint64_t newest;               /* the last revision that it has told; 0: none */
	struct nats_listener listener;
	struct value_look look; /* valid if object.looked is set, except in a brief row */
};

/* file::state. */
struct value_file {
	struct value_reader *reader; /* NULL: open for writing only */
	struct publication *pending;
};

struct cluster_value *cluster_value_from(struct channel *channel);

/* For struct cluster_kind and channel_ops::attend. */
void value_watch_init(struct cluster_value *value);
void value_watch_fini(struct cluster_value *value);
void value_watch_attend(struct cluster_value *value);

/* For channel_ops. */
int cluster_value_adopt_file(struct file *file);
uint64_t cluster_value_position(struct file *file);
int cluster_value_measure(struct channel *channel, struct caller *caller, const struct row *row);
void cluster_value_status(struct channel *channel, struct caller *caller, struct row *row);

#endif
