/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks on the file behind a channel, where native programs have theirs.
 *
 * For the kernel all that the daemon does is done by one process, so each owner gets an open file
 * of its own there, with the locks of F_OFD_SETLK or flock(2): these meet those of processes and
 * of each other. It is open for no more than its user's file is, since who has a program open for
 * writing keeps it from being started.
 *
 * A lock takes the time of a walk along those that there are, as does any close(2) of the file; to
 * wait for one takes a thread.
 */
#ifndef IPCFS_LOCK_FILES_H
#define IPCFS_LOCK_FILES_H

#include "lib/channel/locks.h"

/* Has the channel such a file? */
bool lock_files_serve(const struct channel *channel);

/* As lock_set() and lock_wait(), of the file alone. */
int lock_files_set(struct file *file, const struct lock *lock);
int lock_files_wait(struct file *file, const struct lock *lock, struct caller *caller);

/* As lock_test(), of locks that only the kernel knows. The process is 0 where it names none. */
int lock_files_test(struct file *file, struct lock *lock);

/* Closes the owner's open file, which has no lock, unless one is waited for. */
void lock_files_close_unused(struct channel *channel, uint64_t owner, bool is_flock);

/* Takes away the owner's locks of fcntl(2); or all that came through this open file. */
void lock_files_drop_owner(struct channel *channel, uint64_t owner);
void lock_files_drop_file(struct channel *channel, uint64_t file);

#endif
