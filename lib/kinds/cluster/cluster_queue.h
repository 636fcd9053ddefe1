/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues of the cluster: each message goes to one reader, on whichever machine.
 */
#ifndef IPCFS_CLUSTER_QUEUE_H
#define IPCFS_CLUSTER_QUEUE_H

#include "lib/kinds/cluster/cluster_readers.h"
#include "lib/kinds/cluster/publication.h"

struct cluster_queue {
	struct cluster_object object;
	struct readers readers;
};

/* file::state. */
struct queue_file {
	struct taking taking;
	struct publication *pending;
};

struct cluster_queue *cluster_queue_from(struct channel *channel);

/*
 * What outlives the daemon of a file that reads, in cluster_queue_adopt.c. It is noted which
 * delivery the file is about to take, then, in one store, that it has, and at last whether it has
 * been given.
 */
void cluster_queue_note(struct file *file, const struct nats_delivery *delivery);
void cluster_queue_note_taken(struct file *file, bool is_given);
void cluster_queue_note_end(struct file *file, bool is_given);
/* For channel_ops. */
int cluster_queue_adopt_file(struct file *file);
uint64_t cluster_queue_position(struct file *file);

#endif
