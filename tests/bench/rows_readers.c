// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A thousand blocked readers: what they cost the daemon and their neighbours, and how long they
 * take to end.
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

/*
 * The readers read a pipe that the daemon serves, a queue or a topic. Readers of a kept FIFO would
 * wait in the kernel.
 */
static const char *read_path(const struct bench *bench, const struct ends *ends)
{
	char path[32];

	snprintf(path, sizeof(path), "%s/bench", ends->row->kind);
	return bench_mount(bench, path);
}

static void make_channel(const struct bench *bench, const struct ends *ends)
{
	bool is_pipe = !strcmp(ends->row->kind, "pipes");

	bench_command(bench, "create %s/bench%s", ends->row->kind, is_pipe ? " served=daemon" : "");
}

/* Makes the channel if it is missing: another side may have made it already, or removed it. */
static void read_open(struct ends *ends)
{
	if (access(read_path(ends->bench, ends), F_OK) < 0)
		make_channel(ends->bench, ends);
}

static void read_close(struct ends *ends)
{
	unlink(read_path(ends->bench, ends));
}

static double time_stat(const struct ends *ends)
{
	const char *path = read_path(ends->bench, ends);
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

	crowd_start(&crowd, read_path(ends->bench, ends));
	daemon_settle(ends->bench);
	seconds = time_stat(ends);
	crowd_end(&crowd);
	return seconds;
}

static double end_readers(struct ends *ends)
{
	crowd_start(&crowd, read_path(ends->bench, ends));
	daemon_settle(ends->bench);
	return crowd_end(&crowd);
}

static void fifo_open(struct ends *ends)
{
	const char *path = bench_native(ends->bench, "fifo");

	must(mkfifo(path, 0600));
	ends->out = must(open(path, O_RDWR | O_CLOEXEC)); /* a writer, so that no open waits */
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

/* Measures a new daemon: one that has had readers before may have kept their memory. */
static double measure_memory(struct ends *ends)
{
	struct bench fresh;
	double before, after;
	char path[128];

	bench_fresh(&fresh, ends->bench);
	make_channel(&fresh, ends);
	snprintf(path, sizeof(path), "%s", read_path(&fresh, ends));
	daemon_settle(&fresh);
	before = daemon_memory(fresh.daemon);
	crowd_start(&crowd, path);
	daemon_settle(&fresh);
	after = daemon_memory(fresh.daemon);
	crowd_end(&crowd);
	must(unlink(path)); /* a queue appears in every mount */
	bench_end_fresh(&fresh);
	return after - before;
}

#define MEMORY                                                                           \
	.unit = UNIT_KIB, .n_batches = 5, .placements = ONLY_FREE, .bound = BOUND_BELOW, \
	.targets = {[PLACED_FREE] = 1024},                                               \
	.sides = {                                                                       \
		[IPCFS] = {"ipcfs", .sample = measure_memory},                           \
	}

#define STAT                                                                                \
	.unit = UNIT_MICROSECONDS, .is_slow = true, .bound = BOUND_TIME,                    \
	.targets = {1.5, 1.5, 1.5},                                                         \
	.sides = {                                                                          \
		{"no readers", read_open, .sample = stat_alone, .close = read_close},       \
		{"1,000 readers", read_open, .sample = stat_in_crowd, .close = read_close}, \
	}

#define END                                                                               \
	.unit = UNIT_MILLISECONDS, .is_slow = true, .bound = BOUND_TIME,                  \
	.targets = {1.3, 1.3, 1.3},                                                       \
	.sides = {                                                                        \
		{"mkfifo", fifo_open, .sample = end_native_readers, .close = fifo_close}, \
		{"ipcfs", read_open, .sample = end_readers, .close = read_close},         \
	}

static const struct row rows[] = {
	{"served=daemon: added memory", "pipes", MEMORY},
	{"served=daemon: stat meanwhile", "pipes", STAT},
	{"served=daemon: gone after SIGINT", "pipes", END},
	{"queue: added memory", "queues", MEMORY},
	{"queue: stat meanwhile", "queues", STAT},
	{"queue: gone after SIGINT", "queues", END},
	{"topic: added memory", "topics", MEMORY},
	{.work = NULL},
};

const struct group reader_group = {"readers", "1,000 blocked readers", rows};
