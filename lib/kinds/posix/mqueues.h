/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * POSIX message queues by name (mq_overview(7)).
 *
 * A detached mount of mqueue gives their directory without touching the file tree, and a queue
 * opened there is a message queue descriptor (linux/ipc/mqueue.c). Without the privilege to mount,
 * the daemon uses /dev/mqueue, if an mqueue is mounted there. Otherwise there is only mq_open(3),
 * which can't list queues.
 */
#ifndef IPCFS_MQUEUES_H
#define IPCFS_MQUEUES_H

#include <limits.h>
#include <mqueue.h>
#include <stdbool.h>

#include "lib/channel/journal.h"
#include "lib/channel/kernel_names.h"

/*
 * Returns the directory of all queues of this IPC namespace, or -1. The caller owns the descriptor.
 */
int mqueue_open_directory(const struct host *host);

/* named_space::open_name and unlink_name for a space without a directory. */
int mqueue_open_name(struct named_space *space, const char *name, int flags, mode_t mode);
int mqueue_unlink_name(struct named_space *space, const char *name);

/* A queue to make. */
struct mqueue_creation {
	char path[NAME_MAX + 2]; /* for mq_open(3) */
	mode_t mode;
	bool has_attr; /* else the system's defaults apply */
	struct mq_attr attr;
	int dir_fd; /* the directory of all queues, or -1 */
	ino_t ino;  /* of the queue that was made */
	struct journal_note note;
};

void mqueue_creation_init(struct mqueue_creation *creation, struct space *space, const char *name,
			  mode_t mode);

/*
 * For job_call::act: makes the queue, unless the former daemon has made it for the same request.
 * Errors are those of mq_open(3), such as -EEXIST.
 */
int mqueue_create(void *creation);

/*
 * For job_call::undo: removes the queue again, if the name still leads to it. Does so as the
 * caller, who can remove only queues of their own.
 */
void mqueue_uncreate(struct host *host, struct caller *caller, void *creation);

/*
 * For kind::explain. All limits of mq_open(3) are the system's, except the limit of a user's bytes.
 */
const char *mqueue_explain(struct channel *channel, const char *name,
			   const struct settings *settings, int error);

/*
 * Whether the descriptor is of the queue with this inode number, never waits, and is open for
 * O_RDONLY, O_WRONLY or O_RDWR at least.
 */
bool mqueue_is_open(int fd, ino_t ino, int access);

/* Gets the limits of the queue and its present length. */
int mqueue_attributes(int fd, struct mq_attr *ret_attr);

/*
 * Receives as many messages as wait at the start and drops them: a sender may be faster than this.
 */
int mqueue_empty(int fd, struct host *host);

/* For channel_ops::disuse. */
int mqueue_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse);

/* For struct space_ops. */
void mqueue_room(const struct space *space, const struct caller *caller, struct statvfs *room);
uint64_t mqueue_count(const struct space *space);

/* Returns a limit from /proc/sys/fs/mqueue, or 1 if that can't be read. */
long mqueue_default(const char *name);

#endif
