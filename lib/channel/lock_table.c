// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A new lock cuts, splits or joins the owner's old locks. The memory for that is there before the
 * change begins, so that the change can't fail halfway.
 *
 * The records outlive the daemon, which may be killed at any moment of such a change. So the new
 * lock comes first, with all that is joined to it, and then the old ones are cut or go. Until that
 * is done the new one is marked, and the next daemon begins to cut anew. So the owner has at no
 * moment less than before or after.
 */
#include "lib/channel/lock_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "lib/base/slots.h"
#include "lib/channel/channel.h"

void lock_table_init(struct host *host)
{
	slots_place(&host->locks, sizeof(struct lock_record), host->state, STATE_LOCKS);
}

static struct slots *table_of(const struct channel *channel)
{
	return &channel->space->host->locks;
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

/* Puts a record at the front of the object's list. */
static void link_front(struct channel *channel, uint64_t id)
{
	record_of(channel, id)->next = channel->locks;
	channel->locks = id;
}

/*
 * Adds a lock in a record from the room, marked as new. The record stays charged to the user who
 * paid for the room.
 */
static struct lock_record *add(struct channel *channel, const struct lock *lock,
			       struct lock_room *room)
{
	uint64_t id = room->ids[--room->n];
	struct lock_record *record = record_of(channel, id);
	uid_t uid = record->lock.uid;

	record->lock = *lock;
	record->lock.uid = uid;
	record->order = channel->locks ? record_of(channel, channel->locks)->order + 1 : 1;
	record->is_new = true;
	STATE_ORDER();
	record->object = channel->id;
	STATE_ORDER();
	link_front(channel, id);
	return record;
}

static void end_new(struct lock_record *record)
{
	STATE_ORDER();
	record->is_new = false;
}

/* Trims an old lock to what lies outside the new one. Returns false if nothing does. */
static bool trim(struct channel *channel, struct lock *old, const struct lock *lock,
		 struct lock_room *room)
{
	struct lock end = *old;

	if (encloses(old, lock)) {
		struct lock_record *added;

		end.first = lock->last + 1;
		added = add(channel, &end, room);
		old->last = lock->first - 1;
		end_new(added);
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

/* Adds the owner's locks of the same type that touch the lock. */
static void join(const struct channel *channel, struct lock *lock)
{
	for (uint64_t id = channel->locks; id; id = record_of(channel, id)->next) {
		const struct lock *old = &record_of(channel, id)->lock;

		if (!is_same(old, lock) || old->type != lock->type || !touches(old, lock))
			continue;
		if (old->first < lock->first)
			lock->first = old->first;
		if (old->last > lock->last)
			lock->last = old->last;
	}
}

/* Takes away what the owner has in the range of `lock`, except in the record `self`. */
static void clear(struct channel *channel, const struct lock *lock, const struct lock_record *self,
		  struct lock_room *room)
{
	uint64_t *place = &channel->locks;

	while (*place) {
		struct lock_record *record = record_of(channel, *place);
		bool is_meant = record != self && is_same(&record->lock, lock) &&
				overlaps(&record->lock, lock);

		/*
		 * A record that trim() adds goes to the front of the list, and overlaps no other
		 * lock.
		 */
		if (!is_meant || trim(channel, &record->lock, lock, room))
			place = &record->next;
		else
			unlink_next(channel, place);
	}
}

void lock_table_apply(struct channel *channel, const struct lock *lock, struct lock_room *room)
{
	struct lock set = *lock;
	struct lock_record *record = NULL;

	if (set.type != F_UNLCK) {
		join(channel, &set);
		record = add(channel, &set, room);
	}
	clear(channel, &set, record, room);
	if (record)
		end_new(record);
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

/* Charges a record that was found again. Returns false if it can't be taken over. */
static bool record_adopt(struct host *host, const struct lock_record *record, lock_file_fn *is_open)
{
	const struct lock *lock = &record->lock;

	return slots_object(&host->objects, record->object) &&
	       (lock->type == F_RDLCK || lock->type == F_WRLCK) && lock->first >= 0 &&
	       lock->first <= lock->last && is_open(host, lock->file) &&
	       user_charge(&host->users, lock->uid, USER_LOCKED, 1) == 0;
}

/* Ends a change that was cut short, if there is memory for that. */
static void end_change(struct channel *channel, struct lock_record *record)
{
	struct lock_room room;

	if (lock_room_make(channel, &record->lock, &room) < 0)
		return;
	join(channel, &record->lock);
	clear(channel, &record->lock, record, &room);
	end_new(record);
	lock_room_drop(channel, &room);
}

struct found_lock {
	uint64_t id;
	struct lock_record *record;
};

static int compare_orders(const void *a, const void *b)
{
	const struct found_lock *x = a, *y = b;

	return (x->record->order > y->record->order) - (x->record->order < y->record->order);
}

/* Links the locks that were found, and ends the changes that were under way. */
static void adopt_all(struct host *host, struct found_lock *found, size_t n)
{
	qsort(found, n, sizeof(*found), compare_orders);
	for (size_t i = 0; i < n; i++) {
		struct channel *channel = slots_object(&host->objects, found[i].record->object);

		slots_set_object(&host->locks, found[i].id, channel);
		link_front(channel, found[i].id);
	}
	for (size_t i = 0; i < n; i++) {
		struct lock_record *record = slots_record(&host->locks, found[i].id);

		if (record && record->is_new)
			end_change(slots_object(&host->locks, found[i].id), record);
	}
}

int lock_table_adopt(struct host *host, lock_file_fn *is_open)
{
	int r = slots_adopt(&host->locks);
	struct found_lock *found = NULL;
	size_t n = 0;
	uint64_t id = 0;

	if (r == 0)
		found = calloc((size_t)host->locks.n_slots + 1, sizeof(*found));
	if (!found)
		return r < 0 ? r : -ENOMEM;
	while ((id = slots_next(&host->locks, id)) != 0) {
		found[n] = (struct found_lock){id, slots_record(&host->locks, id)};
		state_mend(&found[n].record->lock.is_flock);
		if (record_adopt(host, found[n].record, is_open))
			n++;
		else
			slots_remove(&host->locks, id);
	}
	adopt_all(host, found, n);
	free(found);
	return 0;
}
