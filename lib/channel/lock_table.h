/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is locked of one object, as records in host::locks that are chained from channel::locks.
 *
 * The records of an owner never overlap, and two that touch differ in type.
 */
#ifndef IPCFS_LOCK_TABLE_H
#define IPCFS_LOCK_TABLE_H

#include "lib/channel/locks.h"

/* Records that are charged, and wait for what they are needed for. */
struct lock_room {
	uint64_t ids[2];
	unsigned n;
};

/* Makes room for lock_table_apply(). -ENOLCK */
int lock_room_make(struct channel *channel, const struct lock *lock, struct lock_room *ret_room);
void lock_room_drop(struct channel *channel, struct lock_room *room);

/*
 * Sets or takes away what the owner has locked in the lock's range, whatever others have there.
 * Uses room of the same lock's, if no other call came between; what is left of that is dropped.
 */
void lock_table_apply(struct channel *channel, const struct lock *lock, struct lock_room *room);

/* The lock of somebody else that is in the way and begins first; NULL: none is. */
const struct lock *lock_table_conflict(const struct channel *channel, const struct lock *lock);

/*
 * The same for those who wait: the number of any that is in the way, 0 if none is; and whether that
 * one still is, which takes no look at the others.
 */
uint64_t lock_table_blocker(const struct channel *channel, const struct lock *lock);
bool lock_table_blocks(const struct channel *channel, uint64_t id, const struct lock *lock);

/* Has the owner any lock of that sort? */
bool lock_table_has(const struct channel *channel, uint64_t owner, bool is_flock);

/* Takes away all records that match. Returns whether there were any. */
typedef bool lock_match_fn(const struct lock *lock, uint64_t number);
bool lock_table_drop(struct channel *channel, lock_match_fn *match, uint64_t number);

#endif
