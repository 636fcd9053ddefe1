// SPDX-License-Identifier: GPL-2.0-or-later
#include "fs/lock_time.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "lib/host/caller.h"

#define MS 1000 /* microseconds */

/* Of one request, and of all of a user's together. */
static const uint64_t most[N_LOCK_SORTS] = {[LOCK_ALONE] = 500 * MS, [LOCK_SHARED] = 1000 * MS};

/* One part in so many of the time that goes by can be spent anew. */
#define REGAINED 10

/* A slow disk takes less than this, and a machine that is busy. */
#define FREE_MOST (100 * MS)
/* Of one that stood in line behind another of the user's: some fifty of these are half a second. */
#define FREE_IN_LINE (10 * MS)
/* It did, if it comes from another process so soon after. */
#define IN_LINE (5 * MS)

uint64_t lock_time_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec / 1000;
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
	/* What is left over of the division counts the next time. */
	time->at += regained * REGAINED;
}

static bool is_idle(const struct lock_time *time, uint64_t now)
{
	return time->n_held == 0 && now > time->released + IN_LINE &&
	       time->spent[LOCK_ALONE] == 0 && time->spent[LOCK_SHARED] == 0;
}

/* There are as many as users who have waited lately. */
static void sweep(struct lock_time **times, uint64_t now)
{
	struct lock_time *time, *next;

	HASH_ITER(hh, *times, time, next) {
		lock_time_settle(time, now);
		if (!is_idle(time, now))
			continue;
		HASH_DEL(*times, time);
		free(time);
	}
}

static struct lock_time *find(struct lock_time *times, uid_t uid)
{
	struct lock_time *time;

	HASH_FIND(hh, times, &uid, sizeof(uid), time);
	return time;
}

static struct lock_time *make(struct lock_time **times, uid_t uid, uint64_t now)
{
	struct lock_time *time;

	sweep(times, now);
	time = calloc(1, sizeof(*time));
	if (!time)
		return NULL;
	time->uid = uid;
	time->at = now;
	HASH_ADD(hh, *times, uid, sizeof(time->uid), time);
	if (time->hh.tbl)
		return time;
	free(time);
	return NULL;
}

int lock_time_begin(struct lock_time **times, const struct caller *caller, enum lock_sort sort,
		    struct lock_hold *ret_hold)
{
	struct lock_time *time = find(*times, caller->uid);
	uint64_t now = lock_time_now();
	struct lock_hold hold = {.sort = sort, .began = now, .free = FREE_MOST};
	uint64_t left;

	if (!time)
		time = make(times, caller->uid, now);
	if (!time)
		return -ENOMEM;
	lock_time_settle(time, now);
	left = less(most[sort], time->spent[sort]);
	if (left == 0)
		return -EAGAIN;
	if (now < time->released + IN_LINE && caller->pid != time->pid)
		hold.free = FREE_IN_LINE;
	hold.until = now + least(left + hold.free, most[sort]);
	time->n_held++;
	*ret_hold = hold;
	return 0;
}

void lock_time_end(struct lock_time *times, const struct caller *caller,
		   const struct lock_hold *hold)
{
	struct lock_time *time = find(times, caller->uid);
	uint64_t now = lock_time_now();

	assert(time && time->n_held > 0);
	time->n_held--;
	lock_time_settle(time, now);
	/* More than all need not be remembered. */
	time->spent[hold->sort] = least(
		time->spent[hold->sort] + less(now - hold->began, hold->free), most[hold->sort]);
	time->released = now;
	time->pid = caller->pid;
}

void lock_time_free_all(struct lock_time **times)
{
	struct lock_time *time, *next;

	HASH_ITER(hh, *times, time, next) {
		HASH_DEL(*times, time);
		free(time);
	}
}
