/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all channels of one mount share: the loop, the users' accounts, and one scratch buffer.
 */
#ifndef IPCFS_HOST_H
#define IPCFS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "lib/base/loop.h"
#include "lib/base/numbers.h"
#include "lib/base/slots.h"
#include "lib/host/buffer.h"
#include "lib/host/feature.h"
#include "lib/host/namespaces.h"
#include "lib/host/user.h"

/*
 * The largest read or write that reaches a channel as one request, in bytes: FUSE's max_write.
 * A longer read(2) or write(2) is cut in pieces of at most this by the kernel, and one whose buffer
 * is not page-aligned in pieces up to a page less (linux/fs/fuse/file.c, fuse_direct_io).
 */
#define HOST_IO_MAX (1024 * 1024)
#define HOST_PAGE   4096
/* st_blksize: stdio writes in pieces of this, and a line is to be one message. */
#define HOST_BLOCK 65536

/* Threads that sleep, for all users together; and how many of them are for root alone. */
#define HOST_SLEEPS_MAX  1024
#define HOST_SLEEPS_ROOT 128
/* Likewise those that wait for the lock of a pipe. */
#define HOST_LOCKS_MAX  512
#define HOST_LOCKS_ROOT 64

struct host;
struct space;
struct connection;
struct reading;
struct scanner;
struct making;
struct worker_task;

/* Who has stopped a process that made something for him: lib/host/job_place.c. */
struct stopper {
	uid_t uid;
	time_t until; /* CLOCK_MONOTONIC */
};
#define HOST_STOPPERS 16

/*
 * How to open what the mount shows under a number (channel_ops::show), as one of its users would,
 * but without keeping it busy. On a thread only: the mount has to answer.
 */
struct host_nodes {
	int tree_fd; /* O_PATH: its root, in a clone of the mount that nobody else has; -1: none */
	int dir_fd;  /* the same, open */
	int (*open)(int dir_fd, uint64_t node, int flags); /* a descriptor; -errno. NULL: none */
	/*
	 * Has the kernel forget what stands for an object in the mount (channel::inode), unless
	 * somebody uses it. NULL: it can't be asked to.
	 */
	void (*forget)(struct host *host, const void *inode);
	/* A name has gone, which fstat(2) should show at once. NULL: it need not. */
	void (*unnamed)(struct host *host);
};

/* What a pipe is of which nothing else is said: -o pipe_*. All zeroes are the usual ones. */
struct host_pipes {
	size_t capacity; /* bytes */
	bool has_no_end; /* eof=never */
	bool by_daemon;  /* served=daemon */
};

struct host {
	struct loop *loop;        /* borrowed */
	struct workers *workers;  /* for what takes long */
	struct workers *sleepers; /* for what may sleep for ever: sleeper.h, JOB_SLEEPER */
	struct workers *walkers;  /* for paths and names, which may take for ever, too */
	struct workers *lockers;  /* for what waits for the lock of a pipe, which others may keep */
	_Atomic bool is_ending;   /* nobody is left to read what a job would find */
	struct stopper stoppers[HOST_STOPPERS];
	unsigned last_stopper;
	struct job *jobs; /* under way, oldest first: lib/host/job.h */
	struct loop_source job_clock;
	struct making *makings; /* of texts, under way: lib/channel/making.c */
	struct loop_task makings_turn;
	struct scanner *scanner;  /* of processes: lib/info/scanner.h */
	struct reading *readings; /* of configuration files, in order: lib/tree/config.c */
	bool is_serving;          /* the mount may call: nothing on the loop may walk into it */
	struct host_nodes nodes;
	struct host_pipes pipes;
	dev_t dev; /* of the mount, by which its open files are told */
	struct user_table users;
	struct buffers buffers; /* that requests come in */
	struct features features;
	struct namespaces namespaces;
	char root[32]; /* where the machine's files are: "", or "/proc/PID/root" */
	struct timespec started;
	struct slots locks, lock_files; /* of objects: lib/channel/locks.h */
	struct space **spaces;          /* of all kinds that there are, borrowed; ends with NULL */
	struct space *info;             /* borrowed */
	struct connection
		*connected;     /* by the inodes of their sockets: lib/kinds/socket/connections.h */
	struct numbers numbers; /* of the inodes that the daemon keeps, and of connections */
	char *scratch; /* where reads land on their way; valid until the next channel call */
	size_t scratch_size;
	char *spare; /* for what a reader may leave of its message; NULL: there is none */
	size_t spare_size;
};

/* Prepares a host that borrows `loop`, with the limits that ipcfs(8) names as defaults. -ENOMEM. */
int host_init(struct host *host, struct loop *loop);

/*
 * Has those wake up who sleep in the kernel's waits, and tell what became of the writes they were
 * at. Nobody does so any more after that.
 */
void host_stop_sleepers(struct host *host);

/*
 * Ends the workers, whose jobs refer to channels, and whose calls are answered. Those who walk may
 * do so in the mount: when nobody answers there any more it has to be left before host_stop().
 */
void host_stop_workers(struct host *host);

/*
 * Ends all threads, before what their jobs refer to is freed; but for those who walk and have not
 * come back within a second, whose jobs refer to nothing else. The process has to end then.
 */
void host_stop(struct host *host);
void host_fini(struct host *host);

/*
 * Learns all of a caller that may be asked for when its process has gone: a file that outlives its
 * opener acts as the opener was. -ENOMEM
 */
int host_know(struct host *host, struct caller *caller);

/*
 * Has a task run by the sleepers or the walkers, for user `uid`, with a thread of its own: each
 * costs a USER_SLEEPS until host_slept(). -ENOBUFS, -ENOMEM: done() is not called.
 */
int host_sleep(struct host *host, struct workers *workers, uid_t uid, struct worker_task *task);
void host_slept(struct host *host, uid_t uid);

/*
 * The same, by the lockers: each costs a USER_LOCKS until host_locked(). So whoever keeps the locks
 * of a user's pipes keeps that user from pipes alone.
 */
int host_lock(struct host *host, uid_t uid, struct worker_task *task);
void host_locked(struct host *host, uid_t uid);

/*
 * Closes a descriptor of user `uid`'s on a worker, because that may free what takes long to free.
 * What would linger (SO_LINGER) is interrupted by a signal.
 */
void host_close(struct host *host, uid_t uid, int fd);

/* Makes the scratch buffer at least `size` bytes; it may move. -ENOMEM, and it is as before. */
int host_reserve(struct host *host, size_t size);

/* Makes sure that there is a spare buffer of at least `size` bytes. -ENOMEM */
int host_reserve_spare(struct host *host, size_t size);

#endif
