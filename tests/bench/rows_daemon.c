// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon by itself: what it does when there is nothing to do, how long it takes to start, and
 * how long nobody answers when it is killed.
 */
#include <signal.h>
#include <time.h>

#include "tests/bench/clock.h"
#include "tests/bench/crowd.h"
#include "tests/bench/daemon.h"
#include "tests/bench/ends.h"
#include "tests/bench/must.h"

static struct bench followed; /* a mount of its own, whose daemons are killed */
static struct crowd crowd;

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

static void follow_open(struct ends *ends)
{
	bench_fresh(&followed, ends->bench);
}

static void follow_close(struct ends *ends)
{
	(void)ends;
	bench_end_fresh(&followed);
}

/* Kills the daemon. Returns the seconds until the next one has answered a request. */
static double time_follow(struct ends *ends)
{
	double start = clock_now();

	(void)ends;
	must(kill(followed.daemon, SIGKILL));
	daemon_settle(&followed);
	start = clock_now() - start;
	followed.daemon = daemon_find(followed.started);
	pause_for(10); /* until the former one is gone, and logged */
	return start;
}

static void queue_open(struct ends *ends)
{
	follow_open(ends);
	bench_command(&followed, "create queues/bench-crowd");
	crowd_start(&crowd, bench_mount(&followed, "queues/bench-crowd"));
}

static void queue_close(struct ends *ends)
{
	crowd_end(&crowd); /* it fails if one of them has ended before */
	must(unlink(bench_mount(&followed, "queues/bench-crowd")));
	follow_close(ends);
}

static const struct row rows[] = {
	{"wake-ups when idle", NULL, .unit = UNIT_COUNT, .n_batches = 1, .placements = ONLY_FREE,
	 .bound = BOUND_MOST, .sides = {[IPCFS] = {"ipcfs", .sample = count_wakeups}}},
	{"CPU ticks when idle", NULL, .unit = UNIT_COUNT, .n_batches = 1, .placements = ONLY_FREE,
	 .bound = BOUND_MOST, .sides = {[IPCFS] = {"ipcfs", .sample = count_ticks}}},
	{"time until the mount answers", NULL, .unit = UNIT_MILLISECONDS, .placements = ONLY_FREE,
	 .bound = BOUND_MOST, .targets = {[PLACED_FREE] = 50},
	 .sides = {[IPCFS] = {"ipcfs", .sample = time_start}}},
	{"kill -9, until the next daemon answers", NULL, .unit = UNIT_MILLISECONDS,
	 .n_batches = 100, .placements = ONLY_FREE, .is_followed = true, .bound = BOUND_MOST,
	 .targets = {[PLACED_FREE] = 2},
	 .sides = {[IPCFS] = {"ipcfs", follow_open, .sample = time_follow, .close = follow_close}}},
	{"the same with 1,000 readers of a queue", "queues", .unit = UNIT_MILLISECONDS,
	 .placements = ONLY_FREE, .is_followed = true, .bound = BOUND_MOST,
	 .targets = {[PLACED_FREE] = 20},
	 .sides = {[IPCFS] = {"ipcfs", queue_open, .sample = time_follow, .close = queue_close}}},
	{.work = NULL},
};

const struct group daemon_group = {"daemon", "The daemon", rows};
