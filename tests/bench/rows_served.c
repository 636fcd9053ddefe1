// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pipes with served=daemon: every byte goes through the daemon.
 */
#include "tests/bench/ends.h"
#include "tests/bench/local.h"
#include "tests/bench/pipes.h"
#include "tests/bench/work.h"

#define SERVED "served=daemon"

static void served_open(struct ends *ends)
{
	pipes_open(ends, SERVED);
}

static void served_open_trip(struct ends *ends)
{
	pipes_open_trip(ends, SERVED);
}

static void socat_open(struct ends *ends)
{
	local_open_between(ends);
	ends_sink(ends);
}

#define FIFO                                           \
	{                                              \
		"mkfifo", pipes_open_fifo, work_stream \
	}
#define SOCAT                                    \
	{                                        \
		"socat", socat_open, work_stream \
	}
#define SERVED_PIPE                                                     \
	{                                                               \
		"ipcfs", served_open, work_stream, .close = pipes_close \
	}

#define TRIP_SIDES                                                                            \
	{                                                                                     \
		{"mkfifo", pipes_open_fifo_trip, work_round_trip},                            \
		{                                                                             \
			"ipcfs", served_open_trip, work_round_trip, .close = pipes_close_trip \
		}                                                                             \
	}

static const struct row rows[] = {
	{"1 MiB writes, against a FIFO", "pipes", 1 << 20, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {0.95}, .sides = {FIFO, SERVED_PIPE}},
	{"64 KiB writes, against a FIFO", "pipes", 65536, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {0.5}, .sides = {FIFO, SERVED_PIPE}},
	{"1 MiB writes, against socat", "pipes", 1 << 20, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {1, 1, 1}, .sides = {SOCAT, SERVED_PIPE}},
	{"64 KiB writes, against socat", "pipes", 65536, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {1, 1, 1}, .sides = {SOCAT, SERVED_PIPE}},
	{"64 B round trip", "pipes", 64, UNIT_MICROSECONDS, .sides = TRIP_SIDES},
	{"4 KiB round trip", "pipes", 4096, UNIT_MICROSECONDS, .sides = TRIP_SIDES},
	{"64 KiB round trip", "pipes", 65536, UNIT_MICROSECONDS, .sides = TRIP_SIDES},
	{.work = NULL},
};

const struct group served_group = {"served", "Pipes with served=daemon", rows};
