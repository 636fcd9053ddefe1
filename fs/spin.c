// SPDX-License-Identifier: GPL-2.0-or-later
/* Spins while that pays, and not at all for a while after others have wanted the CPU. */
#include "fs/spin.h"

#include <sched.h>
#include <time.h>

#define NS_PER_US 1000U
#define NS_PER_S  1000000000U
#define TURN_NS   1000000U
#define BAN_FIRST 100000000U
#define BAN_MOST  (100U * (uint64_t)BAN_FIRST)

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

void spin_init(struct spin *spin, unsigned microseconds)
{
	*spin = (struct spin){.limit = (uint64_t)microseconds * NS_PER_US};
}

void spin_begin(struct spin *spin)
{
	if (spin->limit)
		spin->turn_ends = now() + TURN_NS;
}

/*
 * Bans spinning for a while: on a busy CPU a thread that sleeps is served sooner than one that
 * yields. Each ban is twice as long as the last one, unless that is long past.
 */
static void spin_ban(struct spin *spin, uint64_t time)
{
	bool is_new = time > spin->banned_until + 10 * spin->ban;

	spin->ban = is_new || !spin->ban ? BAN_FIRST : 2 * spin->ban;
	if (spin->ban > BAN_MOST)
		spin->ban = BAN_MOST;
	spin->banned_until = time + spin->ban;
}

bool spin_again(struct spin *spin)
{
	uint64_t before, after;

	if (!spin->limit)
		return false;
	before = now();
	if (!spin->since)
		spin->since = before;
	if (!spin->pays || before > spin->turn_ends || before < spin->banned_until)
		return false;
	sched_yield();
	after = now();
	if (after - before > spin->limit)
		spin_ban(spin, after);
	else if (after - spin->since <= spin->limit)
		return true;
	spin->pays = false;
	return false;
}

void spin_found(struct spin *spin)
{
	if (!spin->since)
		return;
	spin->pays = now() - spin->since <= spin->limit;
	spin->since = 0;
}
