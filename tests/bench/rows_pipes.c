// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Managed pipes: every byte goes through the daemon.
 */
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/bench/ends.h"
#include "tests/bench/local.h"
#include "tests/bench/must.h"
#include "tests/bench/work.h"

static void make_file(const char *path)
{
	close(must(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)));
}

static void fifo_open(struct ends *ends)
{
	const char *path = bench_native(ends->bench, "fifo");

	must(mkfifo(path, 0600));
	ends_open_there(ends, path);
	must(unlink(path));
	ends_sink(ends);
}

static void socat_open(struct ends *ends)
{
	local_open_between(ends);
	ends_sink(ends);
}

static void pipe_open(struct ends *ends)
{
	const char *path = bench_mount(ends->bench, "pipes/bench");

	make_file(path);
	ends_open_there(ends, path);
	ends_sink(ends);
}

static void pipe_close(struct ends *ends)
{
	must(unlink(bench_mount(ends->bench, "pipes/bench")));
}

static void fifo_trip_open(struct ends *ends)
{
	const char *there = bench_native(ends->bench, "there");
	const char *back = bench_native(ends->bench, "back");

	must(mkfifo(there, 0600));
	must(mkfifo(back, 0600));
	ends_open_there(ends, there);
	ends_open_back(ends, back);
	must(unlink(there));
	must(unlink(back));
	ends_echo(ends);
}

static void pipe_trip_open(struct ends *ends)
{
	const char *there = bench_mount(ends->bench, "pipes/there");
	const char *back = bench_mount(ends->bench, "pipes/back");

	make_file(there);
	make_file(back);
	ends_open_there(ends, there);
	ends_open_back(ends, back);
	ends_echo(ends);
}

static void pipe_trip_close(struct ends *ends)
{
	must(unlink(bench_mount(ends->bench, "pipes/there")));
	must(unlink(bench_mount(ends->bench, "pipes/back")));
}

#define FIFO                                     \
	{                                        \
		"mkfifo", fifo_open, work_stream \
	}
#define SOCAT                                    \
	{                                        \
		"socat", socat_open, work_stream \
	}
#define PIPE                                                         \
	{                                                            \
		"ipcfs", pipe_open, work_stream, .close = pipe_close \
	}

#define TRIP_SIDES                                                                         \
	{                                                                                  \
		{"mkfifo", fifo_trip_open, work_round_trip},                               \
		{                                                                          \
			"ipcfs", pipe_trip_open, work_round_trip, .close = pipe_trip_close \
		}                                                                          \
	}

static const struct row rows[] = {
	{"1 MiB writes, for a FIFO", "pipes", 1 << 20, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {1.5, 1.5, 1.5}, .sides = {FIFO, PIPE}},
	{"64 KiB writes, for a FIFO", "pipes", 65536, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {0.5, 0.5, 0.5}, .sides = {FIFO, PIPE}},
	{"1 MiB writes, for socat", "pipes", 1 << 20, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {1, 1, 1}, .sides = {SOCAT, PIPE}},
	{"64 KiB writes, for socat", "pipes", 65536, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {1, 1, 1}, .sides = {SOCAT, PIPE}},
	{"64 B round trip", "pipes", 64, UNIT_MICROSECONDS, .sides = TRIP_SIDES},
	{"4 KiB round trip", "pipes", 4096, UNIT_MICROSECONDS, .sides = TRIP_SIDES},
	{"64 KiB round trip", "pipes", 65536, UNIT_MICROSECONDS, .sides = TRIP_SIDES},
	{.work = NULL},
};

const struct group pipe_group = {"pipes", "Managed pipes", rows};
