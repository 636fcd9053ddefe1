/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of operations. Private to operation*.c.
 */
#ifndef IPCFS_OPERATION_STATE_H
#define IPCFS_OPERATION_STATE_H

#include "lib/kinds/cluster/operation.h"

struct operations {
	struct cluster *cluster;
	struct nats_listener listener;
	struct cluster_operation *all;
};

/* In operation.c. */
/* Prepares the operation, which is all zeroes except its kind and its cluster, and adds it. */
void operation_init(struct cluster_operation *operation);
/* Has the operation take its next steps soon. */
void operation_turn(struct cluster_operation *operation);
/* Its request has gone: limits how long it goes on. */
void operation_leave_alone(struct cluster_operation *operation);

#endif
