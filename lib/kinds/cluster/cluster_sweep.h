/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removes from a queue's stream what its readers have acknowledged. That is the server's work, but
 * when a server of a cluster crashes, nats-server 2.9 forgets some of it: the consumer passes these
 * messages over, and the stream keeps them for ever, so that the queue is full one day with nothing
 * to read.
 */
#ifndef IPCFS_CLUSTER_SWEEP_H
#define IPCFS_CLUSTER_SWEEP_H

#include "lib/kinds/cluster/cluster.h"

/* Part of its owner's memory. All zeroes, except the object: nothing is under way. */
struct sweep {
	struct cluster_object *object; /* borrowed */
	int64_t next;                  /* when it may begin again, as clock_now() */
	struct nats_ask ask;
};

/*
 * Begins, for a queue that has been full for a while, unless it did so lately. When something was
 * removed, the writers that wait are told (sender_has_room()).
 */
void sweep_begin(struct sweep *sweep);
void sweep_stop(struct sweep *sweep);

#endif
