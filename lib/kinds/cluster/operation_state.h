/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The list of operations and their clock. Private to operation*.c.
 */
#ifndef IPCFS_OPERATION_STATE_H
#define IPCFS_OPERATION_STATE_H

#include "lib/kinds/cluster/operation.h"

struct operations {
	struct cluster *cluster;
	struct nats_listener listener;
	struct loop_source clock; /* timerfd */
	int64_t next;             /* when it goes off; 0: it is not set */
	struct cluster_operation *all;
};

/* In operation.c: the time that operation_due() told has come. May free the operation. */
void operation_expire(struct cluster_operation *operation, int64_t now);
/* When operation_expire() has to be called; 0: never. */
int64_t operation_due(const struct cluster_operation *operation);
/* Takes steps until the operation has to wait or has ended: loop_task::run. */
void operation_take_turn(struct loop_task *task);
/* Has the operation take its next steps soon. */
void operation_turn(struct cluster_operation *operation);
/* Ends the operation without finishing it. */
void operation_free(struct cluster_operation *operation);

/* Sets the clock so that it goes off at `time` at the latest. */
void operations_set(struct operations *operations, int64_t time);

#endif
