/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks on the file behind a channel, where native programs put their locks.
 *
 * The kernel sees one process behind all that the daemon does. So each owner gets an open file
 * of its own, with locks of F_OFD_SETLK or flock(2): such locks conflict with the locks of
 * processes and with one another. The file is opened with no more rights than the user's own open
 * file has: open for writing, it would keep others from executing it.
 *
 * Setting a lock takes as long as walking all existing locks, and so does any close(2) of the file.
 * Waiting for a lock takes a thread.
 */
#ifndef IPCFS_LOCK_FILES_H
#define IPCFS_LOCK_FILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/channel/locks.h"

struct state;

struct lock_file {
	uint64_t owner, file; /* as in struct lock */
	uint64_t object;      /* in host::objects, written last; 0: the record is not in use */
	uint64_t next;        /* the next of the same object; 0: none */
	int fd;
	uid_t uid;        /* the user charged for the descriptor */
	unsigned n_waits; /* threads that wait for a lock of this open file */
	bool is_flock, writes;
};

/* For records_init(). */
void lock_files_init(struct host *host);
/* For locks_adopt(). */
int lock_files_adopt(struct host *host, lock_file_fn *is_open);
/*
 * For the next daemon, before it opens anything: calls `found` for each descriptor of such a file.
 * Fails with -EPROTO or -ENOMEM before any.
 */
int lock_files_find(struct state *state, void (*found)(void *data, int fd), void *data);

/* Whether there is such a file behind the channel. */
bool lock_files_serve(const struct channel *channel);

/* As lock_set() and lock_wait(), for the file alone. */
int lock_files_set(struct file *file, const struct lock *lock);
int lock_files_wait(struct file *file, const struct lock *lock, struct caller *caller);

/*
 * As lock_test(), for locks only the kernel knows. lock::pid is 0 if the kernel names no process.
 */
int lock_files_test(struct file *file, struct lock *lock);

/*
 * Closes the owner's open file, which has no locks, unless a thread waits for a lock of this file.
 */
void lock_files_close_unused(struct channel *channel, uint64_t owner, bool is_flock);

/* Drops the owner's fcntl(2) locks. */
void lock_files_drop_owner(struct channel *channel, uint64_t owner);
/* Drops all locks that came through this open file. */
void lock_files_drop_file(struct channel *channel, uint64_t file);

#endif
