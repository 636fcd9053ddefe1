/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a System V queue, so that no message is lost with the daemon that takes it.
 *
 * msgrcv(2) writes into a block of the state, a receipt. It writes the type, which is never 0, and
 * then the text. So a type that is no longer 0 says that the kernel has given a message away. How
 * long that is, only the result of the call tells. A daemon that is killed before it has written
 * the result down leaves the text alone, and what comes after it in the receipt is blank
 * (lib/channel/blank.h). Where a message ends in blank bytes itself, the kernel is asked how many
 * bytes the queue has lost. Only if others use the queue in that moment, these bytes are lost.
 *
 * An empty message that a wait has taken is in the queue's record until a reader has it.
 */
#ifndef IPCFS_SYSV_QUEUE_READ_H
#define IPCFS_SYSV_QUEUE_READ_H

#include "lib/kinds/sysv/sysv_queue_wait.h"

/* A message that the kernel has given, in a block of the state. */
struct sysv_receipt {
	uint64_t size; /* of the text, bytes; UNKNOWN: not written down */
	/* The queue before it, and who has received. */
	uint64_t n_messages, n_bytes;
	int64_t receiver;
	struct {
		long type; /* 0: nothing was received */
		unsigned char text[];
	} kernel;
};

/* The memory that a directory's queues are read into. */
struct sysv_receipts {
	struct sysv_receipt *block; /* NULL: none yet */
	unsigned log2;              /* of the block's size, bytes */
	pid_t receiver;             /* this process */
};

/* sysv_queue.c */
struct sysv_receipts *sysv_queue_receipts(struct space *space);

void sysv_receipts_init(struct sysv_receipts *receipts);
void sysv_receipts_fini(struct sysv_receipts *receipts, struct host *host);

/* For struct channel_ops. */
ssize_t sysv_queue_read(struct file *file, void *data, size_t size, off_t offset);
ssize_t sysv_queue_recall(struct file *file, void *data);
int sysv_queue_adopt(struct space *space, struct object_record *record,
		     struct channel **ret_channel);

#endif
