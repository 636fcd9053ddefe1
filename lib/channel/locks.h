/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks of fcntl(2) and flock(2) on the objects of the mount.
 *
 * The kernel would keep them in the inode, and a stream has many inodes: two programs that lock the
 * same queue would not exclude each other. So locks are kept here, by object. Locks on a region are
 * also taken on its file in /dev/shm, where they conflict with those of native programs
 * (lib/channel/lock_files.h).
 *
 * As natively, locks of the two calls ignore each other. A lock of fcntl(2) belongs to a process, a
 * lock of flock(2) or F_OFD_SETLK to an open file. The kernel names both by a number
 * (linux/fs/fuse/file.c, fuse_lock_owner_id) and does not say which it is. So a deadlock is never
 * reported, since between open files it is not an error. A signal ends every wait.
 *
 * Each lock is charged to the user who sets it. The records hold no pointers, and outlive the
 * daemon.
 */
#ifndef IPCFS_LOCKS_H
#define IPCFS_LOCKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct caller;
struct channel;
struct file;
struct host;
struct transfer;

/* The last possible byte: a lock that ends here covers the file however far it grows. */
#define LOCK_END INT64_MAX

/* A lock, or a request for one. */
struct lock {
	uint64_t owner;      /* the kernel's number for a process or an open file */
	uint64_t file;       /* the filesystem's number for the open file that it comes through */
	int64_t first, last; /* bytes, both included */
	pid_t pid;
	uid_t uid;     /* the user to charge */
	short type;    /* F_RDLCK, F_WRLCK, F_UNLCK */
	bool is_flock; /* of flock(2), and so on the whole file */
};

/*
 * Sets or removes the lock. Fails with -EAGAIN if another owner's lock is in the way, or with
 * -ENOLCK if the user has too many locks, there is no memory, or the object can't be locked.
 */
int lock_set(struct file *file, const struct lock *lock);

/*
 * Like lock_set(), but waits. If lock_waits_by_job(), this is a job. Otherwise it returns -EAGAIN,
 * and a transfer of sort TRANSFER_LOCK has to be held.
 */
int lock_wait(struct file *file, const struct lock *lock, struct caller *caller);
bool lock_waits_by_job(const struct channel *channel);

/*
 * As F_GETLK: sets `lock` to the first lock in its way, or its type to F_UNLCK. Fails with -ENOLCK.
 */
int lock_test(struct file *file, struct lock *lock);

/*
 * Drops all fcntl(2) locks of a process on the object, because it has closed a descriptor of the
 * object.
 */
void lock_drop_owner(struct channel *channel, uint64_t owner);

/* Drops all locks that came through an open file, which is gone. */
void lock_drop_file(struct channel *channel, uint64_t file);

/* Whether an open file, by the filesystem's number for it, is still there. */
typedef bool lock_file_fn(struct host *host, uint64_t file);

/*
 * For the next daemon, between objects_adopt() and objects_adopted(), when the open files are
 * there: takes over the locks of the files that are open. Nobody loses one, or gets one that
 * another has. Fails with -ENOMEM or -EPROTO: then no lock may be granted.
 */
int locks_adopt(struct host *host, lock_file_fn *is_open);

/* For transfers: retries the transfers that wait for a lock. */
void lock_retry(struct channel *channel);

#endif
