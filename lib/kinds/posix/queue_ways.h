/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue's descriptors, which all its open files share, and what the next daemon gets of them.
 */
#ifndef IPCFS_QUEUE_WAYS_H
#define IPCFS_QUEUE_WAYS_H

#include "lib/channel/kernel_names.h"
#include "lib/channel/readiness.h"

/* One for reading and writing, or one for each if the daemon may not open the queue for both. */
enum { QUEUE_READ, QUEUE_WRITE, QUEUE_N_WAYS };

struct queue {
	struct named named;
	struct readiness ways[QUEUE_N_WAYS]; /* fd -1 while nobody has the queue open that way */
};

struct queue *queue_from(struct channel *channel);

/* Returns the descriptor for a direction, or -1. */
int queue_fd(const struct queue *queue, int way);
/* Returns any open descriptor, or -1. */
int queue_descriptor(const struct queue *queue);

/*
 * Makes sure that there is a descriptor for this direction, if possible one for both directions.
 */
int queue_open_way(struct queue *queue, int way, uid_t uid);
/* Closes all descriptors. */
void queue_close(struct queue *queue);

/* A descriptor for both directions is watched only once: as the one for reading. */
struct readiness *queue_way(struct queue *queue, int way);
/* Watches all descriptors that are open. */
int queue_watch(struct queue *queue);

/*
 * Prepares to receive into `size` bytes of host::scratch. Returns where the kernel has to write the
 * message's priority, so that queue_recall() can tell whether a message was taken.
 */
uint64_t *queue_expect(const struct file *file, size_t size);
/* Counts a message that the kernel has accepted. */
void queue_count_sent(struct queue *queue);

/* For struct channel_ops. */
void queue_save(struct channel *channel, struct object_record *record);
int queue_adopt(struct space *space, struct object_record *record, struct channel **ret_channel);
int queue_adopt_file(struct file *file);
uint64_t queue_accepted(struct channel *channel);
ssize_t queue_recall(struct file *file, void *data);

#endif
