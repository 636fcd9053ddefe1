// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A new lock cuts, splits or joins the owner's old locks. The memory for that is there before the
 * change begins, so that the change can't fail halfway.
 */
#include "lib/channel/lock_table.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/base/slots.h"
#include "lib/channel/channel.h"

struct lock_record {
	struct lock lock;
	uint64_t next; /* the next of the same object; 0: none */
};

/* Returns host::locks, set up at the first use: the host does not know what its table contains. */
static struct slots *table_of(const struct channel *channel)
{
	struct slots *locks = &channel->space->host->locks;

	if (!locks->stride)
		slots_init(locks, sizeof(struct lock_record));
	return locks;
}

static struct lock_record *record_of(const struct channel *channel, uint64_t id)
{
	return slots_record(table_of(channel), id);
}

static bool is_same(const struct lock *a, const struct lock *b)
{
	return a->owner == b->owner && a->is_flock == b->is_flock;
}

static bool overlaps(const struct lock *a, const struct lock *b)
{
	return a->first <= b->last && b->first <= a->last;
}

/* Whether the two locks overlap or are adjacent. */
static bool touches(const struct lock *a, const struct lock *b)
{
	return (a->first == 0 || a->first - 1 <= b->last) &&
	       (b->first == 0 || b->first - 1 <= a->last);
}

static bool encloses(const struct lock *outer, const struct lock *inner)
{
	return outer->first < inner->first && outer->last > inner->last;
}

/* Whether the lock splits an old lock in two. */
static bool splits(const struct channel *channel, const struct lock *lock)
{
	for (uint64_t id = channel->locks; id; id = record_of(channel, id)->next) {
		const struct lock *old = &record_of(channel, id)->lock;

		if (is_same(old, lock) && old->type != lock->type && encloses(old, lock))
			return true;
	}
	return false;
}

static int record_new(struct channel *channel, uid_t uid, uint64_t *ret_id)
{
	struct user_table *users = &channel->space->host->users;
	int r = user_charge(users, uid, USER_LOCKED, 1);

	if (r < 0)
		return -ENOLCK;
	r = slots_add(table_of(channel), channel, ret_id);
	if (r < 0) {
		user_uncharge(users, uid, USER_LOCKED, 1);
		return -ENOLCK;
	}
	record_of(channel, *ret_id)->lock.uid = uid;
	return 0;
}

static void record_free(struct channel *channel, uint64_t id)
{
	user_uncharge(&channel->space->host->users, record_of(channel, id)->lock.uid, USER_LOCKED,
		      1);
	slots_remove(table_of(channel), id);
}

int lock_room_make(struct channel *channel, const struct lock *lock, struct lock_room *ret_room)
{
	unsigned n = (lock->type != F_UNLCK) + splits(channel, lock);

	ret_room->n = 0;
	while (ret_room->n < n) {
		int r = record_new(channel, lock->uid, &ret_room->ids[ret_room->n]);

		if (r < 0) {
			lock_room_drop(channel, ret_room);
			return r;
		}
		ret_room->n++;
	}
	return 0;
}

void lock_room_drop(struct channel *channel, struct lock_room *room)
{
	while (room->n > 0)
		record_free(channel, room->ids[--room->n]);
}

/*
 * Adds a lock in a record from the room. The record stays charged to the user who paid for the
 * room.
 */
static void add(struct channel *channel, const struct lock *lock, struct lock_room *room)
{
	uint64_t id = room->ids[--room->n];
	struct lock_record *record = record_of(channel, id);
	uid_t uid = record->lock.uid;

	record->lock = *lock;
	record->lock.uid = uid;
	record->next = channel->locks;
	channel->locks = id;
}

/* Trims an old lock to what lies outside the new one. Returns false if nothing does. */
static bool trim(struct channel *channel, struct lock *old, const struct lock *lock,
		 struct lock_room *room)
{
	struct lock end = *old;

	if (encloses(old, lock)) {
		end.first = lock->last + 1;
		old->last = lock->first - 1;
		add(channel, &end, room);
	} else if (old->first < lock->first) {
		old->last = lock->first - 1;
	} else if (old->last > lock->last) {
		old->first = lock->last + 1;
	} else {
		return false;
	}
	return true;
}

static void unlink_next(struct channel *channel, uint64_t *place)
{
	uint64_t id = *place;

	*place = record_of(channel, id)->next;
	record_free(channel, id);
}

static void grow(struct lock *lock, const struct lock *old)
{
	if (old->first < lock->first)
		lock->first = old->first;
	if (old->last > lock->last)
		lock->last = old->last;
}

void lock_table_apply(struct channel *channel, const struct lock *lock, struct lock_room *room)
{
	struct lock set = *lock;
	uint64_t *place = &channel->locks;

	while (*place) {
		struct lock_record *record = record_of(channel, *place);
		bool is_merged = record->lock.type == set.type && touches(&record->lock, &set);
		bool is_meant = is_same(&record->lock, &set) &&
				(is_merged || overlaps(&record->lock, &set));

		/*
		 * A record that trim() adds goes to the front of the list, and touches no other
		 * lock.
		 */
		if (!is_meant || (!is_merged && trim(channel, &record->lock, &set, room))) {
			place = &record->next;
			continue;
		}
		if (is_merged)
			grow(&set, &record->lock);
		unlink_next(channel, place);
	}
	if (set.type != F_UNLCK)
		add(channel, &set, room);
	lock_room_drop(channel, room);
}

static bool conflicts(const struct lock *theirs, const struct lock *lock)
{
	return theirs->is_flock == lock->is_flock && theirs->owner != lock->owner &&
	       (theirs->type == F_WRLCK || lock->type == F_WRLCK) && overlaps(theirs, lock);
}

const struct lock *lock_table_conflict(const struct channel *channel, const struct lock *lock)
{
	const struct lock *first = NULL;

	for (uint64_t id = channel->locks; id; id = record_of(channel, id)->next) {
		const struct lock *theirs = &record_of(channel, id)->lock;

		if (conflicts(theirs, lock) && (!first || theirs->first < first->first))
			first = theirs;
	}
	return first;
}

uint64_t lock_table_blocker(const struct channel *channel, const struct lock *lock)
{
	uint64_t id = channel->locks;

	while (id && !conflicts(&record_of(channel, id)->lock, lock))
		id = record_of(channel, id)->next;
	return id;
}

bool lock_table_blocks(const struct channel *channel, uint64_t id, const struct lock *lock)
{
	const struct lock_record *record = id ? record_of(channel, id) : NULL;

	return record && conflicts(&record->lock, lock);
}

bool lock_table_has(const struct channel *channel, uint64_t owner, bool is_flock)
{
	for (uint64_t id = channel->locks; id; id = record_of(channel, id)->next) {
		const struct lock *lock = &record_of(channel, id)->lock;

		if (lock->owner == owner && lock->is_flock == is_flock)
			return true;
	}
	return false;
}

bool lock_table_drop(struct channel *channel, lock_match_fn *match, uint64_t number)
{
	uint64_t *place = &channel->locks;
	bool has_dropped = false;

	while (*place) {
		struct lock_record *record = record_of(channel, *place);

		if (match(&record->lock, number)) {
			unlink_next(channel, place);
			has_dropped = true;
		} else {
			place = &record->next;
		}
	}
	return has_dropped;
}
