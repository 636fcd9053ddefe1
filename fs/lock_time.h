/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For how long a user's requests may hold locks of directories.
 *
 * The kernel asks for a name with the directory's lock held, and keeps it until there is an answer:
 * alone to make, remove or rename, shared to look up or list. Whoever else wants that lock sleeps,
 * where no signal reaches. What an answer has to wait for may be in the user's own hands: a process
 * that he stops, a filesystem that he serves. So no request holds a lock for longer than a second;
 * and since many, of many processes, would follow one upon another, those of one user get a second
 * together for each sort of holding, and as much again only as time goes by.
 *
 * What is short is free, so that nobody is refused for much work, nor on a busy machine. But one
 * that follows close upon another of the same user's in the same directory has stood in line for
 * the lock, and others behind it: of that much less is free. Those that share the lock at the same
 * time stand in no line.
 */
#ifndef IPCFS_LOCK_TIME_H
#define IPCFS_LOCK_TIME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uthash.h>

struct caller;

enum lock_sort { LOCK_ALONE, LOCK_SHARED, N_LOCK_SORTS };

/* What a user's requests have spent. All times are microseconds of the monotonic clock. */
struct lock_time {
	uid_t uid;
	uint64_t spent[N_LOCK_SORTS]; /* at the time `at`; it grows less as time goes by */
	uint64_t at;
	unsigned n_held;
	UT_hash_handle hh; /* lock_times::users */
};

/* Where a user's requests hold a lock, or did just now. */
struct lock_place {
	struct lock_place_key {
		uint64_t directory; /* its nodeid */
		uint64_t uid;
	} key;
	uint64_t released; /* when the last one ended */
	pid_t pid;         /* whose that was */
	bool was_long;     /* and whether others had to wait for it */
	unsigned n_held;
	UT_hash_handle hh; /* lock_times::places */
};

struct lock_times {
	struct lock_time *users;
	struct lock_place *places;
};

/* One request: what it holds, and what lock_time_begin() makes of that. */
struct lock_hold {
	enum lock_sort sort;
	uint64_t directory;
	uint64_t began, free; /* when, and how long it costs nothing */
	uint64_t until;       /* when it has to end */
};

uint64_t lock_time_now(void);

/*
 * A request of the caller's is about to wait with that lock. -EAGAIN: the user has held locks for
 * long enough. -ENOMEM
 */
int lock_time_begin(struct lock_times *times, const struct caller *caller, struct lock_hold *hold);

/* It is answered, or given up: once for each that began. */
void lock_time_end(struct lock_times *times, const struct caller *caller,
		   const struct lock_hold *hold);

void lock_time_free_all(struct lock_times *times);

#endif
