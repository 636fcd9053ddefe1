// SPDX-License-Identifier: GPL-2.0-or-later
/* Times are kept for each user, and for each user in a directory, until they no longer count. */
#include "fs/lock_time.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/host/caller.h"

#define MS 1000 /* microseconds */

/* The longest that one request may hold a lock, and all of a user's requests together. */
static const uint64_t most[N_LOCK_SORTS] = {
	[LOCK_ALONE] = 1000 * MS,
	[LOCK_SHARED] = 1000 * MS,
	[LOCK_REMOTE] = 5000 * MS,
};

/* A user regains one part in this many of the time that passes. */
#define REGAINED 10

/* This much of a request's time is free. A slow disk takes less, and so does a busy machine. */
#define FREE_MOST (100 * MS)
/*
 * The same for a request that stood in line behind another of the same user. A hundred of these
 * make a second.
 */
#define FREE_IN_LINE (10 * MS)
/* A request that comes from another thread this soon after the last one ended stood in line. */
#define IN_LINE (5 * MS)

uint64_t lock_time_now(void)
{
	return (uint64_t)(clock_now() / CLOCK_US);
}

static uint64_t less(uint64_t from, uint64_t by)
{
	return from > by ? from - by : 0;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void lock_time_settle(struct lock_time *time, uint64_t now)
{
	uint64_t regained = (now - time->at) / REGAINED;

	for (int i = 0; i < N_LOCK_SORTS; i++)
		time->spent[i] = less(time->spent[i], regained);
	/* The remainder of the division counts next time. */
	time->at += regained * REGAINED;
}

static bool has_spent(const struct lock_time *time)
{
	for (int i = 0; i < N_LOCK_SORTS; i++)
		if (time->spent[i])
			return true;
	return false;
}

/*
 * Drops users and directories whose times no longer count, so that both tables hold only those of
 * recent requests.
 */
static void sweep(struct lock_times *times, uint64_t now)
{
	struct lock_time *time, *next_time;
	struct lock_place *place, *next_place;

	HASH_ITER(hh, times->users, time, next_time) {
		lock_time_settle(time, now);
		if (time->n_held || has_spent(time))
			continue;
		HASH_DEL(times->users, time);
		free(time);
	}
	HASH_ITER(hh, times->places, place, next_place) {
		if (place->n_held || now < place->released + IN_LINE)
			continue;
		HASH_DEL(times->places, place);
		free(place);
	}
}

static struct lock_time *find_time(const struct lock_times *times, uid_t uid)
{
	struct lock_time *time;

	HASH_FIND(hh, times->users, &uid, sizeof(uid), time);
	return time;
}

static struct lock_place *find_place(const struct lock_times *times, uid_t uid, uint64_t directory)
{
	const struct lock_place_key key = {.directory = directory, .uid = uid};
	unsigned char bytes[sizeof(key)];
	struct lock_place *place;

	memcpy(bytes, &key, sizeof(key));
	HASH_FIND(hh, times->places, bytes, sizeof(bytes), place);
	return place;
}

static struct lock_time *get_time(struct lock_times *times, uid_t uid, uint64_t now)
{
	struct lock_time *time = find_time(times, uid);

	if (time)
		return time;
	time = calloc(1, sizeof(*time));
	if (!time)
		return NULL;
	time->uid = uid;
	time->at = now;
	HASH_ADD(hh, times->users, uid, sizeof(time->uid), time);
	if (time->hh.tbl)
		return time;
	free(time);
	return NULL;
}

static struct lock_place *get_place(struct lock_times *times, uid_t uid, uint64_t directory)
{
	struct lock_place *place = find_place(times, uid, directory);

	if (place)
		return place;
	place = calloc(1, sizeof(*place));
	if (!place)
		return NULL;
	place->key = (struct lock_place_key){.directory = directory, .uid = uid};
	HASH_ADD(hh, times->places, key, sizeof(place->key), place);
	if (place->hh.tbl)
		return place;
	free(place);
	return NULL;
}

/*
 * Whether the caller's request stood in line: behind one from another thread, or behind one from
 * its own thread that has just made others wait for a long time.
 */
static bool is_in_line(const struct lock_place *place, const struct caller *caller, uint64_t now)
{
	return place->n_held == 0 && now < place->released + IN_LINE &&
	       (place->pid != caller->pid || place->was_long);
}

int lock_time_begin(struct lock_times *times, const struct caller *caller, struct lock_hold *hold)
{
	uint64_t now = lock_time_now();
	struct lock_place *place;
	struct lock_time *time;
	uint64_t left;

	if (!find_time(times, caller->uid) || !find_place(times, caller->uid, hold->directory))
		sweep(times, now);
	time = get_time(times, caller->uid, now);
	place = get_place(times, caller->uid, hold->directory);
	if (!time || !place)
		return -ENOMEM;
	lock_time_settle(time, now);
	left = less(most[hold->sort], time->spent[hold->sort]);
	if (left == 0)
		return -EAGAIN;
	hold->began = now;
	hold->free = is_in_line(place, caller, now) ? FREE_IN_LINE : FREE_MOST;
	hold->until = now + least(left + hold->free, most[hold->sort]);
	time->n_held++;
	place->n_held++;
	return 0;
}

void lock_time_end(struct lock_times *times, const struct caller *caller,
		   const struct lock_hold *hold)
{
	struct lock_time *time = find_time(times, caller->uid);
	struct lock_place *place = find_place(times, caller->uid, hold->directory);
	uint64_t now = lock_time_now();

	assert(time && time->n_held > 0 && place && place->n_held > 0);
	time->n_held--;
	lock_time_settle(time, now);
	/* Spending beyond the maximum need not be remembered. */
	time->spent[hold->sort] = least(
		time->spent[hold->sort] + less(now - hold->began, hold->free), most[hold->sort]);
	place->n_held--;
	place->was_long = now - hold->began > FREE_IN_LINE;
	place->released = now;
	place->pid = caller->pid;
}

void lock_time_free_all(struct lock_times *times)
{
	struct lock_time *time, *next_time;
	struct lock_place *place, *next_place;

	HASH_ITER(hh, times->users, time, next_time) {
		HASH_DEL(times->users, time);
		free(time);
	}
	HASH_ITER(hh, times->places, place, next_place) {
		HASH_DEL(times->places, place);
		free(place);
	}
}
