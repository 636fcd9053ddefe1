/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks on the file behind a channel, where native programs put theirs.
 *
 * To the kernel, all that the daemon does is done by one process. So each owner gets an open file
 * of its own there, with locks of F_OFD_SETLK or flock(2): these conflict with the locks of
 * processes and with one another. It is opened with no more rights than the user's own open file
 * has, since a program that someone has open for writing can't be started.
 *
 * Setting a lock takes as long as walking all existing locks, and so does any close(2) of the file.
 * Waiting for one takes a thread.
 */
#ifndef IPCFS_LOCK_FILES_H
#define IPCFS_LOCK_FILES_H

#include "lib/channel/locks.h"

/* Whether the channel has such a file. */
bool lock_files_serve(const struct channel *channel);

/* As lock_set() and lock_wait(), for the file alone. */
int lock_files_set(struct file *file, const struct lock *lock);
int lock_files_wait(struct file *file, const struct lock *lock, struct caller *caller);

/* As lock_test(), for locks only the kernel knows. The process is 0 if the kernel names none. */
int lock_files_test(struct file *file, struct lock *lock);

/* Closes the owner's open file, which holds no lock, unless a thread waits for one. */
void lock_files_close_unused(struct channel *channel, uint64_t owner, bool is_flock);

/* The first drops the owner's fcntl(2) locks, the second all that came through this open file. */
void lock_files_drop_owner(struct channel *channel, uint64_t owner);
void lock_files_drop_file(struct channel *channel, uint64_t file);

#endif
