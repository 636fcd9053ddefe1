/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The locks on one object: records in host::locks, chained from channel::locks.
 *
 * The records of an owner never overlap, and two records that touch differ in type.
 */
#ifndef IPCFS_LOCK_TABLE_H
#define IPCFS_LOCK_TABLE_H

#include "lib/channel/locks.h"

struct lock_record {
	struct lock lock;
	uint64_t order;  /* higher than that of the object's older locks */
	uint64_t is_new; /* what the owner had there before may still be there */
	uint64_t object; /* in host::objects, written last; 0: the record is not in use */
	uint64_t next;   /* the next older one of the same object; 0: none */
};

/* For records_init(). */
void lock_table_init(struct host *host);
/* For locks_adopt(). */
int lock_table_adopt(struct host *host, lock_file_fn *is_open);

/* Records that are charged and wait to be used. */
struct lock_room {
	uint64_t ids[2];
	unsigned n;
};

/* Makes room for lock_table_apply(). Fails with -ENOLCK. */
int lock_room_make(struct channel *channel, const struct lock *lock, struct lock_room *ret_room);
void lock_room_drop(struct channel *channel, struct lock_room *room);

/*
 * Sets or removes the owner's locks in the lock's range, whatever locks other owners have there.
 * `room` was made for the same lock, with no other call since; the rest of it is dropped.
 */
void lock_table_apply(struct channel *channel, const struct lock *lock, struct lock_room *room);

/* Returns the first lock by position that is in the way and belongs to another owner, or NULL. */
const struct lock *lock_table_conflict(const struct channel *channel, const struct lock *lock);

/* For waiters: returns the number of any lock that is in the way, or 0. */
uint64_t lock_table_blocker(const struct channel *channel, const struct lock *lock);
/* Whether the lock with this number is still in the way, without a look at the others. */
bool lock_table_blocks(const struct channel *channel, uint64_t id, const struct lock *lock);

/* Whether the owner has any lock of flock(2), or any other lock. */
bool lock_table_has(const struct channel *channel, uint64_t owner, bool is_flock);

/* Removes all records that match. Returns whether there were any. */
typedef bool lock_match_fn(const struct lock *lock, uint64_t number);
bool lock_table_drop(struct channel *channel, lock_match_fn *match, uint64_t number);

#endif
