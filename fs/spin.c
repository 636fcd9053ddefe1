// SPDX-License-Identifier: GPL-2.0-or-later
#include "fs/spin.h"

#include <sched.h>
#include <time.h>

#define NS_PER_US 1000U
#define NS_PER_S  1000000000U
#define TURN_NS   1000000U
#define BAN_NS    100000000U /* after somebody else has wanted the CPU */

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
	/* With a busy CPU one who sleeps is served sooner than one who has given way. */
	if (after - before > spin->limit)
		spin->banned_until = after + BAN_NS;
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
