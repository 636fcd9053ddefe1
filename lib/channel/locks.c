// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A lock is granted by the file behind the channel, or by the table if there is no such file. The
 * table then notes the lock.
 */
#include "lib/channel/locks.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "lib/channel/channel.h"
#include "lib/channel/lock_files.h"
#include "lib/channel/lock_table.h"
#include "lib/channel/transfer.h"

bool lock_waits_by_job(const struct channel *channel)
{
	return lock_files_serve(channel);
}

static void wake(struct channel *channel)
{
	if (channel->lockers)
		channel_wake(channel, EPOLLPRI);
}

/*
 * Gives up the old lock before the wait for a new one, as flock(2) does. Otherwise two owners that
 * change their locks would wait for ever.
 */
static void give_up(struct channel *channel, const struct lock *lock)
{
	struct lock old = *lock;
	struct lock_room room = {.n = 0};

	if (!lock->is_flock || !lock_table_has(channel, lock->owner, true))
		return;
	old.type = F_UNLCK;
	lock_table_apply(channel, &old, &room);
	wake(channel);
}

static int set(struct file *file, const struct lock *lock)
{
	if (lock_files_serve(file->channel))
		return lock_files_set(file, lock);
	return lock->type != F_UNLCK && lock_table_blocker(file->channel, lock) ? -EAGAIN : 0;
}

static void close_unused(struct channel *channel, const struct lock *lock)
{
	if (lock_files_serve(channel) && !lock_table_has(channel, lock->owner, lock->is_flock))
		lock_files_close_unused(channel, lock->owner, lock->is_flock);
}

/* Notes a lock that was granted, and wakes the waiters that may succeed now. */
static int note(struct channel *channel, const struct lock *lock, struct lock_room *room)
{
	lock_table_apply(channel, lock, room);
	close_unused(channel, lock);
	wake(channel);
	return 0;
}

int lock_set(struct file *file, const struct lock *lock)
{
	struct channel *channel = file->channel;
	struct lock_room room;
	int r;

	if (channel->traits & CHANNEL_HAS_NO_LOCKS)
		return -ENOLCK;
	r = lock_room_make(channel, lock, &room);
	if (r < 0)
		return r;
	r = set(file, lock);
	if (r == 0)
		return note(channel, lock, &room);
	lock_room_drop(channel, &room);
	if (r == -EAGAIN)
		give_up(channel, lock);
	close_unused(channel, lock);
	return r;
}

/*
 * Notes a lock that was waited for. A lock that can't be noted could not be shown, so it is given
 * back.
 */
static int note_granted(struct file *file, const struct lock *lock)
{
	struct lock back = *lock;
	struct lock_room room;
	int r = lock_room_make(file->channel, lock, &room);

	if (r == 0)
		return note(file->channel, lock, &room);
	back.type = F_UNLCK;
	lock_files_set(file, &back);
	return r;
}

int lock_wait(struct file *file, const struct lock *lock, struct caller *caller)
{
	/* When a thread already waits for the lock, leave it to the thread. */
	bool is_asleep = caller->waiter && caller->waiter->job;
	int r = is_asleep ? -EAGAIN : lock_set(file, lock);

	if (r != -EAGAIN || !lock_files_serve(file->channel))
		return r;
	r = lock_files_wait(file, lock, caller);
	return r < 0 ? r : note_granted(file, lock);
}

int lock_test(struct file *file, struct lock *lock)
{
	const struct lock *theirs = lock_table_conflict(file->channel, lock);

	if (file->channel->traits & CHANNEL_HAS_NO_LOCKS)
		return -ENOLCK;
	if (theirs)
		*lock = *theirs;
	else if (lock_files_serve(file->channel))
		return lock_files_test(file, lock);
	else
		lock->type = F_UNLCK;
	return 0;
}

static bool is_owners(const struct lock *lock, uint64_t owner)
{
	return lock->owner == owner && !lock->is_flock;
}

static bool is_files(const struct lock *lock, uint64_t file)
{
	return lock->file == file;
}

void lock_drop_owner(struct channel *channel, uint64_t owner)
{
	if (!channel->locks && !channel->lock_files)
		return;
	lock_files_drop_owner(channel, owner);
	if (lock_table_drop(channel, is_owners, owner))
		wake(channel);
}

void lock_drop_file(struct channel *channel, uint64_t file)
{
	if (!channel->locks && !channel->lock_files)
		return;
	lock_files_drop_file(channel, file);
	if (lock_table_drop(channel, is_files, file))
		wake(channel);
}

int locks_adopt(struct host *host, lock_file_fn *is_open)
{
	int r = lock_table_adopt(host, is_open);

	return r < 0 ? r : lock_files_adopt(host, is_open);
}

/*
 * Whether a waiter is still blocked. Thousands of waiters may wait for thousands of locks, and each
 * lock that goes wakes them all. So a waiter remembers the lock that was in its way, and searches
 * all locks again only when that lock is gone.
 */
static bool is_blocked(struct channel *channel, struct transfer *locker)
{
	if (!lock_table_blocks(channel, locker->blocker, locker->lock))
		locker->blocker = lock_table_blocker(channel, locker->lock);
	return locker->blocker;
}

void lock_retry(struct channel *channel)
{
	struct transfer *locker, *next;

	DL_FOREACH_SAFE(channel->lockers, locker, next) {
		if (!is_blocked(channel, locker))
			transfer_finish(locker, lock_set(locker->file, locker->lock));
	}
}
