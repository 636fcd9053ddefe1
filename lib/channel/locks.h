/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks of fcntl(2) and flock(2) on the objects of the mount.
 *
 * The kernel would keep them in the inode, and a stream has many: two programs that lock the same
 * queue would not meet. So they are kept here, by object. Those of a region are taken on its file
 * in /dev/shm as well, where they meet those of native programs (lib/channel/lock_files.h).
 *
 * As natively, locks of the two calls do not see each other; a lock of fcntl(2) belongs to a
 * process, and one of flock(2), or of F_OFD_SETLK, to an open file. The kernel names both by a
 * number (linux/fs/fuse/file.c, fuse_lock_owner_id), and does not say which it is: so nobody is
 * ever told of a deadlock, which is not an error between open files. A signal ends every wait.
 *
 * Each lock is charged to the user who sets it. The records have no pointers in them.
 */
#ifndef IPCFS_LOCKS_H
#define IPCFS_LOCKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct caller;
struct channel;
struct file;
struct transfer;

/* The last byte that there can be: a lock up to here goes on for as long as the file grows. */
#define LOCK_END INT64_MAX

/* A lock, or the wish for one. */
struct lock {
	uint64_t owner; /* the kernel's number for a process or an open file */
	uint64_t file;  /* a number of the filesystem's for the open file that it comes through */
	int64_t first, last; /* bytes, both of them included */
	pid_t pid;
	uid_t uid;     /* to be charged */
	short type;    /* F_RDLCK, F_WRLCK, F_UNLCK */
	bool is_flock; /* of flock(2), and so of the whole file */
};

/*
 * Sets or takes away the lock. -EAGAIN: somebody else's is in the way; -ENOLCK: the user has too
 * many, there is no memory, or the object can have none.
 */
int lock_set(struct file *file, const struct lock *lock);

/*
 * The same, but waits. Where lock_waits_by_job() this is a job; else -EAGAIN, and a transfer of the
 * sort TRANSFER_LOCK has to be held.
 */
int lock_wait(struct file *file, const struct lock *lock, struct caller *caller);
bool lock_waits_by_job(const struct channel *channel);

/* As F_GETLK: changes `lock` to the first that is in its way, or its type to F_UNLCK. -ENOLCK */
int lock_test(struct file *file, struct lock *lock);

/* A process has closed a descriptor of the object: none of its locks of fcntl(2) outlives that. */
void lock_drop_owner(struct channel *channel, uint64_t owner);

/* An open file is no more. */
void lock_drop_file(struct channel *channel, uint64_t file);

/* For transfers: tries again what waits for a lock. */
void lock_retry(struct channel *channel);

#endif
