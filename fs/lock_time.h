/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a user's requests may hold directory locks.
 *
 * The kernel asks for a name with the directory's lock held, and keeps the lock until it has an
 * answer: exclusively to make, remove or rename, shared to look up or list. Everyone else who wants
 * that lock sleeps, out of reach of signals. Yet the answer may depend on the user: on a process
 * that the user stops, or on a filesystem that the user serves. So no request holds a lock for
 * longer than a second, or for five in a directory of cluster/, where servers may have to agree.
 * And since many requests, from many processes, could follow one another, all requests of a user
 * share this time for each sort of lock, and regain it only as time passes.
 *
 * Short holds are free, so that nobody is refused for doing a lot of work, or on a busy machine.
 * But a request that closely follows another by the same user in the same directory has stood in
 * line for the lock, and others behind it: much less of its time is free. Requests that share the
 * lock at the same time do not stand in line.
 */
#ifndef IPCFS_LOCK_TIME_H
#define IPCFS_LOCK_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uthash.h>

struct caller;

enum lock_sort {
	LOCK_ALONE,
	LOCK_SHARED,
	LOCK_REMOTE, /* alone, in a directory of objects on other machines */
	N_LOCK_SORTS,
};

/* What a user's requests have spent. All times are in microseconds of the monotonic clock. */
struct lock_time {
	uid_t uid;
	uint64_t spent[N_LOCK_SORTS]; /* as of `at`; shrinks as time passes */
	uint64_t at;
	unsigned n_held;
	UT_hash_handle hh; /* lock_times::users */
};

/* A directory in which a user's requests hold a lock, or just did. */
struct lock_place {
	struct lock_place_key {
		uint64_t directory; /* its nodeid */
		uint64_t uid;
	} key;
	uint64_t released; /* when the last request ended */
	pid_t pid;         /* the thread that sent it */
	bool was_long;     /* whether others had to wait for it */
	unsigned n_held;
	UT_hash_handle hh; /* lock_times::places */
};

struct lock_times {
	struct lock_time *users;
	struct lock_place *places;
};

/* One request: the lock that it holds, and the time that lock_time_begin() allows it. */
struct lock_hold {
	enum lock_sort sort;
	uint64_t directory;
	uint64_t began, free; /* when it began, and how long it is free */
	uint64_t until;       /* when it has to end */
};

uint64_t lock_time_now(void);

/*
 * Call it when a request is about to wait while the kernel holds the lock. Fails with -ENOMEM, or
 * with -EAGAIN if the user's requests have spent all their time.
 */
int lock_time_begin(struct lock_times *times, const struct caller *caller, struct lock_hold *hold);

/*
 * Call it when the request has been answered or given up, once for each lock_time_begin() that
 * succeeded.
 */
void lock_time_end(struct lock_times *times, const struct caller *caller,
		   const struct lock_hold *hold);

void lock_time_free_all(struct lock_times *times);

#endif
