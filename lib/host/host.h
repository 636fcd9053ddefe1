/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all channels of one mount share: the loop, its threads, the charges to users, and buffers.
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
 * The largest read or write that reaches a channel as one request, bytes: FUSE's max_write. The
 * kernel cuts a longer read(2) or write(2) into pieces of at most this size; if the buffer is not
 * page-aligned, the pieces may be up to a page smaller (linux/fs/fuse/file.c, fuse_direct_io).
 */
#define HOST_IO_MAX (1024 * 1024)
#define HOST_PAGE   4096
/* st_blksize. stdio writes in pieces of this size, and a line should be one message. */
#define HOST_BLOCK 65536

/* Threads that sleep: the most for all users together, and how many of them are for root alone. */
#define HOST_SLEEPS_MAX  1024
#define HOST_SLEEPS_ROOT 128
/* Threads that wait for the lock of a pipe: the same two limits. */
#define HOST_LOCKS_MAX  512
#define HOST_LOCKS_ROOT 64

/* host::idle, if nobody sets it. */
#define HOST_IDLE 600

struct host;
struct space;
struct channel;
struct cluster;
struct configured;
struct connection;
struct journal;
struct object_record;
struct reaper;
struct reading;
struct remote_lines;
struct row;
struct scanner;
struct taps;
struct tree_record;
struct making;
struct account_memory;
struct worker_task;

/* A user who has stopped a process that ran a job for them: lib/host/job_place.c. */
struct stopper {
	uid_t uid;
	time_t until; /* CLOCK_MONOTONIC, seconds */
};
#define HOST_STOPPERS 16

/*
 * How to open a node of the mount by its number (channel_ops::show), as a user of the mount would,
 * but without keeping the mount busy. Only on a thread, because the loop has to answer for the
 * mount.
 */
struct host_nodes {
	int tree_fd; /* O_PATH: the root of a private clone of the mount; -1: none */
	int dir_fd;  /* the same directory, open */
	/* Opens a node and returns a descriptor or -errno. NULL: nodes can't be opened. */
	int (*open)(int dir_fd, uint64_t node, int flags);
	/*
	 * Asks the kernel to forget the inode that stands for an object in the mount
	 * (channel::inode), unless somebody uses it. NULL: the kernel can't be asked.
	 */
	void (*forget)(struct host *host, const void *inode);
	/* Called when a name was removed, which fstat(2) should show at once. NULL: not needed. */
	void (*unnamed)(struct host *host);
};

/* The settings of a pipe whose creator gives none: -o pipe_*. All zeroes: the defaults. */
struct host_pipes {
	size_t capacity; /* bytes */
	bool has_no_end; /* eof=never */
	bool by_daemon;  /* served=daemon */
};

/* What lies on other machines, and how to reach it: -o cluster=, cluster_*=. */
struct host_remote {
	const char *servers; /* URLs, separated by commas, borrowed; NULL: there is no cluster/ */
	const char *creds;   /* the path of the file with the credentials, borrowed; NULL: none */
	const char *ca;      /* the path of the certificates to trust, borrowed; NULL: no TLS */
	int64_t timeout;     /* how long calls wait for the servers, nanoseconds; 0: no limit */
	/* Called when the names of what lies there are known, at first and after a break. */
	void (*known)(struct host *host);
	/* Adds what there is to say of the connection. NULL: there is none. */
	void (*status)(const struct host *host, struct row *row);
	struct cluster *cluster;    /* lib/kinds/cluster/cluster.h; NULL: there is none */
	struct remote_lines *lines; /* lib/tree/remote_lines.h; NULL: there are none */
};

struct host {
	struct loop *loop;        /* borrowed */
	struct workers *workers;  /* for jobs that take a long time */
	struct workers *sleepers; /* for calls that may sleep for ever: sleeper.h, JOB_SLEEPER */
	struct workers *walkers;  /* for paths and names, which may also take for ever */
	struct workers *lockers;  /* for waiting for the lock of a pipe, which others may hold */
	_Atomic bool is_ending;   /* the mount ends: nobody reads the results of jobs any more */
	struct stopper stoppers[HOST_STOPPERS];
	unsigned last_stopper;
	struct job *jobs; /* jobs under way, oldest first: lib/host/job.h */
	struct loop_source job_clock;
	struct account_memory *account_memory; /* lib/host/account_names.c; NULL: empty */
	struct making *makings;                /* texts being made: lib/channel/making.c */
	struct loop_task makings_turn;
	struct taps *taps;        /* who watches channels: lib/channel/tap.c; NULL: nobody */
	struct scanner *scanner;  /* scans the processes: lib/info/scanner.h */
	struct reading *readings; /* configuration files being read, in order: lib/tree/config.c */
	struct configured *configured; /* what they name: lib/host/configured.h */
	struct reaper *reapers;        /* what they have reaped: lib/tree/reaper.h */
	time_t idle; /* how long an object must be unused to count as leaked, seconds */
	/* Logs one line, with a priority of <syslog.h>. NULL: there is no log. */
	void (*log)(int priority, const char *text);
	bool is_serving; /* requests arrive: code on the loop must not walk into the mount */
	struct host_nodes nodes;
	struct host_pipes pipes;
	struct host_remote remote;
	dev_t dev;        /* of the mount: tells files in the mount from other files */
	pid_t supervisor; /* of this process, with the same descriptors; 0: there is none */
	struct user_table users;
	struct buffers buffers; /* the memory that requests are read into */
	struct features features;
	struct namespaces namespaces;
	char root[32]; /* prefix of the machine's files: "", or "/proc/PID/root" */
	struct timespec started;
	struct slots locks, lock_files; /* locks on objects: lib/channel/locks.h */
	struct state *state;            /* what outlives this process, borrowed */
	struct slots objects, files;    /* in it: lib/channel/record.h */
	struct slots writes;            /* in it: lib/channel/journal.h */
	struct journal *journal;        /* in it */
	struct tree_record *tree;       /* in it */
	/* Whether the kernel has sent this request again to this daemon. NULL: none. */
	bool (*is_again)(struct host *host, uint64_t request);
	struct space **spaces;    /* of all kinds in the mount, borrowed; ends with NULL */
	struct space *top, *info; /* the root of the mount, and info/; borrowed */
	/* Makes the channel of a tap (OBJECT_TAP, lib/channel/record.h). NULL: there are none. */
	int (*adopt_tap)(struct host *host, struct object_record *record,
			 struct channel **ret_channel);
	struct connection *connected; /* by their sockets' inodes: lib/kinds/socket/connections.h */
	struct numbers numbers; /* for the inodes that the daemon keeps, and for connections */
	char *scratch;          /* reads pass through it; valid until the next channel call */
	size_t scratch_size;
	size_t scratch_used, scratch_blank; /* lib/channel/blank.c */
	char *spare; /* for the rest of a message that a reader may leave; NULL: none */
	size_t spare_size;
};

/*
 * Prepares a host that borrows `loop` and `state`, with the limits that ipcfs(8) names as defaults.
 * Fails with -ENOMEM or -EMFILE.
 */
int host_init(struct host *host, struct loop *loop, struct state *state);

/*
 * For a host whose state another process has left (host_init() has allocated nothing in it then):
 * takes over the scratch buffer, -EPROTO if it can't be right; and, when the state is settled,
 * makes the buffers that it needs, -ENOMEM.
 */
int host_claim(struct host *host);
int host_allocate(struct host *host);

/* Has the next host over this state probe the kernel, as another executable may do otherwise. */
void host_probe_anew(struct state *state);

/*
 * Wakes all sleepers. Each reports what became of the write that it was making. After this, no
 * sleeper can be started.
 */
void host_stop_sleepers(struct host *host);

/*
 * Ends the workers, whose jobs refer to channels. The requests that wait for these jobs are
 * answered. Walkers may be inside the mount itself: when the mount no longer answers, unmount it
 * before host_stop().
 */
void host_stop_workers(struct host *host);

/*
 * Ends all threads. Call it before freeing what their jobs refer to. Walkers and lockers that have
 * not ended within a second keep running. Their jobs refer only to their own data, but the process
 * has to end after this.
 */
void host_stop(struct host *host);
void host_fini(struct host *host);

/*
 * Reads everything about a caller that may be needed after its process has gone: a file that
 * outlives its opener still acts with the opener's rights. Fails with -ENOMEM.
 */
int host_know(struct host *host, struct caller *caller);

/*
 * Runs a task for user `uid` on a thread of its own: a sleeper or a walker, as `workers` says. The
 * task is charged to the user as a USER_SLEEPS until host_slept(). Fails with -ENOBUFS or -ENOMEM;
 * done() is not called then.
 */
int host_sleep(struct host *host, struct workers *workers, uid_t uid, struct worker_task *task);
void host_slept(struct host *host, uid_t uid);

/*
 * Like host_sleep(), but on a locker. The task is charged as a USER_LOCKS until host_locked(). So
 * someone who keeps the locks of a user's pipes blocks that user's pipes, and nothing else.
 */
int host_lock(struct host *host, uid_t uid, struct worker_task *task);
void host_locked(struct host *host, uid_t uid);

/*
 * Closes a descriptor of user `uid` on a worker, because closing it may free a lot. A signal
 * interrupts the wait for SO_LINGER.
 */
void host_close(struct host *host, uid_t uid, int fd);

/*
 * Makes the scratch buffer at least `size` bytes long; it may move. Fails with -ENOMEM, and then
 * the buffer stays as it was.
 */
int host_reserve(struct host *host, size_t size);

/* Makes sure that there is a spare buffer of at least `size` bytes. Fails with -ENOMEM. */
int host_reserve_spare(struct host *host, size_t size);

#endif
