/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks after an object from which the server has answered that it is not there: its stream, and a
 * queue's consumer, are made again as long as the entry in the bucket says that the object exists.
 */
#ifndef IPCFS_CLUSTER_REPAIR_H
#define IPCFS_CLUSTER_REPAIR_H

#include "lib/kinds/cluster/cluster.h"
#include "lib/kinds/cluster/cluster_alarm.h"

/* Part of its owner's memory. All zeroes, except object and done(): nothing is under way. */
struct repair {
	struct cluster_object *object; /* borrowed */
	/*
	 * Called once: 0, everything is there; -EIDRM, the object has been removed; or an error
	 * that passes. May free the owner.
	 */
	void (*done)(struct repair *repair, int result);
	bool is_active;
	unsigned n_missed; /* how often there was no stream */
	void (*step)(struct repair *repair, int result);
	struct nats_ask ask;
	struct alarm pause;
};

/* Begins, unless it has begun. done() is not called before this returns. */
void repair_begin(struct repair *repair);
void repair_stop(struct repair *repair); /* done() is not called any more */

#endif
