// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon by itself: what it does when there is nothing to do, and how long it takes to start.
 */
#include <sys/statvfs.h>
#include <time.h>

#include "tests/bench/clock.h"
#include "tests/bench/daemon.h"
#include "tests/bench/ends.h"

static void pause_for(long milliseconds)
{
	struct timespec pause = {.tv_sec = milliseconds / 1000,
				 .tv_nsec = milliseconds % 1000 * 1000000};

	nanosleep(&pause, NULL);
}

/* Counts what the daemon does in a few seconds without a request. */
static struct daemon_use watch_idle(const struct bench *bench)
{
	struct daemon_use before, after;

	daemon_settle(bench);
	pause_for(300); /* the kernel may still report files that were closed before */
	before = daemon_use(bench->daemon);
	pause_for(bench->is_quick ? 1500 : 5000);
	after = daemon_use(bench->daemon);
	return (struct daemon_use){.n_wakeups = after.n_wakeups - before.n_wakeups,
				   .ticks = after.ticks - before.ticks};
}

static double count_wakeups(struct ends *ends)
{
	return (double)watch_idle(ends->bench).n_wakeups;
}

static double count_ticks(struct ends *ends)
{
	return (double)watch_idle(ends->bench).ticks;
}

static double time_start(struct ends *ends)
{
	struct bench fresh;
	double start = clock_now();

	bench_fresh(&fresh, ends->bench);
	daemon_settle(&fresh);
	start = clock_now() - start;
	bench_end_fresh(&fresh);
	return start;
}

static const struct row rows[] = {
	{"wake-ups when idle", NULL, .unit = UNIT_COUNT, .n_batches = 1, .placements = ONLY_FREE,
	 .bound = BOUND_MOST, .sides = {[IPCFS] = {"ipcfs", .sample = count_wakeups}}},
	{"CPU ticks when idle", NULL, .unit = UNIT_COUNT, .n_batches = 1, .placements = ONLY_FREE,
	 .bound = BOUND_MOST, .sides = {[IPCFS] = {"ipcfs", .sample = count_ticks}}},
	{"time until the mount answers", NULL, .unit = UNIT_MILLISECONDS, .placements = ONLY_FREE,
	 .bound = BOUND_MOST, .targets = {[PLACED_FREE] = 50},
	 .sides = {[IPCFS] = {"ipcfs", .sample = time_start}}},
	{.work = NULL},
};

const struct group daemon_group = {"daemon", "The daemon", rows};
