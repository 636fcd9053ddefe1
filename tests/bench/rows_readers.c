// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A thousand blocked readers: what they cost the daemon, those beside them, and to end.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/bench/clock.h"
#include "tests/bench/crowd.h"
#include "tests/bench/daemon.h"
#include "tests/bench/ends.h"
#include "tests/bench/must.h"

#define N_STATS 500

static struct crowd crowd;

static const char *read_path(const struct ends *ends)
{
	return bench_mount(ends->bench, "pipes/bench");
}

static void pipe_open(struct ends *ends)
{
	close(must(open(read_path(ends), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
}

/* Both sides of a row may have made it. */
static void pipe_close(struct ends *ends)
{
	unlink(read_path(ends));
}

static double time_stat(const struct ends *ends)
{
	const char *path = read_path(ends);
	struct stat attr;
	double start = clock_now();

	for (int i = 0; i < N_STATS; i++)
		must(stat(path, &attr));
	return (clock_now() - start) / N_STATS;
}

static double stat_alone(struct ends *ends)
{
	return time_stat(ends);
}

static double stat_in_crowd(struct ends *ends)
{
	double seconds;

	crowd_start(&crowd, read_path(ends));
	daemon_settle(ends->bench);
	seconds = time_stat(ends);
	crowd_end(&crowd);
	return seconds;
}

static double end_readers(struct ends *ends)
{
	crowd_start(&crowd, read_path(ends));
	daemon_settle(ends->bench);
	return crowd_end(&crowd);
}

static void fifo_open(struct ends *ends)
{
	const char *path = bench_native(ends->bench, "fifo");

	must(mkfifo(path, 0600));
	ends->out = must(open(path, O_RDWR | O_CLOEXEC)); /* so that opening it does not wait */
}

static void fifo_close(struct ends *ends)
{
	must(unlink(bench_native(ends->bench, "fifo")));
}

static double end_native_readers(struct ends *ends)
{
	crowd_start(&crowd, bench_native(ends->bench, "fifo"));
	return crowd_end(&crowd);
}

/* With a daemon that has not had readers before: what it once had it may have kept. */
static double measure_memory(struct ends *ends)
{
	struct bench fresh;
	double before, after;
	char path[128];

	bench_fresh(&fresh, ends->bench);
	snprintf(path, sizeof(path), "%s", bench_mount(&fresh, "pipes/bench"));
	close(must(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
	daemon_settle(&fresh);
	before = daemon_memory(fresh.daemon);
	crowd_start(&crowd, path);
	daemon_settle(&fresh);
	after = daemon_memory(fresh.daemon);
	crowd_end(&crowd);
	bench_end_fresh(&fresh);
	return after - before;
}

static const struct row rows[] = {
	{"more memory in the daemon", "pipes", .unit = UNIT_KIB, .n_batches = 5,
	 .placements = ONLY_FREE, .bound = BOUND_BELOW, .targets = {[PLACED_FREE] = 1024},
	 .sides = {[IPCFS] = {"ipcfs", .sample = measure_memory}}},
	{"stat, against without them", "pipes", .unit = UNIT_MICROSECONDS, .is_slow = true,
	 .bound = BOUND_TIME, .targets = {1.5, 1.5, 1.5},
	 .sides = {{"no readers", pipe_open, .sample = stat_alone, .close = pipe_close},
		   {"1,000 readers", pipe_open, .sample = stat_in_crowd, .close = pipe_close}}},
	{"all gone after SIGINT", "pipes", .unit = UNIT_MILLISECONDS, .is_slow = true,
	 .bound = BOUND_BELOW, .targets = {100, 100, 100},
	 .sides = {{"mkfifo", fifo_open, .sample = end_native_readers, .close = fifo_close},
		   {"ipcfs", pipe_open, .sample = end_readers, .close = pipe_close}}},
	{.work = NULL},
};

const struct group reader_group = {"readers", "1,000 blocked readers", rows};
