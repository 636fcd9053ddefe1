/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POSIX message queues by name, as mq_overview(7) has them.
 *
 * A detached mount of mqueue gives their directory without touching the file tree, and a queue
 * opened there is a message queue descriptor (ipc/mqueue.c). Without the privilege to mount there
 * is /dev/mqueue if that is mounted, and else mq_open(3), by which queues can't be listed.
 */
#ifndef IPCFS_MQUEUES_H
#define IPCFS_MQUEUES_H

#include <limits.h>
#include <mqueue.h>
#include <stdbool.h>

#include "lib/channel/kernel_names.h"

/* The directory of all queues of this IPC namespace, or -1. The caller owns the descriptor. */
int mqueue_open_directory(const struct host *host);

/* named_space::open_name and unlink_name where there is no directory. */
int mqueue_open_name(struct named_space *space, const char *name, int flags, mode_t mode);
int mqueue_unlink_name(struct named_space *space, const char *name);

/* A queue to be made. */
struct mqueue_creation {
	char path[NAME_MAX + 2]; /* of mq_open(3) */
	mode_t mode;
	bool has_attr; /* else the system's defaults hold */
	struct mq_attr attr;
	int dir_fd; /* of all queues; or -1 */
	ino_t ino;  /* of what was made */
};

void mqueue_creation_init(struct mqueue_creation *creation, const char *name, mode_t mode);

/* Makes it; for job_run(). Errors of mq_open(3); -EEXIST. */
int mqueue_create(void *creation);

/*
 * job_call::undo: removes it again, as the caller, who may remove no queue but his own; and none
 * that has come to its name since.
 */
void mqueue_uncreate(struct host *host, struct caller *caller, void *creation);

/* The queue's limits and present length, of a descriptor. */
int mqueue_attributes(int fd, struct mq_attr *ret_attr);

/* Receives what waits, but no more than waited at first: a sender may be quicker than this. */
int mqueue_empty(int fd, struct host *host);

/* For struct space_ops. */
void mqueue_room(const struct space *space, const struct caller *caller, struct statvfs *room);

/* A limit of /proc/sys/fs/mqueue; 1 if that can't be read. */
long mqueue_default(const char *name);

#endif
