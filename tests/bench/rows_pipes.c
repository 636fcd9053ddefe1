// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kept FIFOs: the kernel alone moves the bytes, through a pipe of ipcfs's capacity instead of the
 * default one. The daemon takes part only in a round that leaves the pipe closed between its two
 * halves.
 */
#include <fcntl.h>

#include "tests/bench/ends.h"
#include "tests/bench/must.h"
#include "tests/bench/pipes.h"
#include "tests/bench/work.h"

#define KEPT "served=kernel"

static void kept_open(struct ends *ends)
{
	pipes_open(ends, KEPT);
}

static void kept_open_trip(struct ends *ends)
{
	pipes_open_trip(ends, KEPT);
}

/* Does what `echo >x; cat x` does. */
static void work_round(struct ends *ends, const char *path)
{
	ssize_t size = (ssize_t)ends->row->size;
	int fd = must(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));

	if (write(fd, ends->buffer, (size_t)size) != size)
		fail("%s: writing: %s", ends->row->work, strerror(errno));
	close(fd);
	fd = must(open(path, O_RDONLY | O_CLOEXEC));
	if (read(fd, ends->buffer, ends_capacity(ends)) != size ||
	    read(fd, ends->buffer, ends_capacity(ends)) != 0)
		fail("%s: it was not read to its end", ends->row->work);
	close(fd);
}

static void work_file_rounds(struct ends *ends, size_t n)
{
	for (size_t i = 0; i < n; i++)
		work_round(ends, bench_native(ends->bench, "file"));
}

static void file_close(struct ends *ends)
{
	must(unlink(bench_native(ends->bench, "file")));
}

static void kept_make(struct ends *ends)
{
	bench_command(ends->bench, "create pipes/bench mode=0600 " KEPT);
}

static void work_kept_rounds(struct ends *ends, size_t n)
{
	for (size_t i = 0; i < n; i++)
		work_round(ends, bench_mount(ends->bench, "pipes/bench"));
}

#define STREAM_SIDES                                                          \
	{                                                                     \
		{"mkfifo", pipes_open_fifo, work_stream},                     \
		{                                                             \
			"ipcfs", kept_open, work_stream, .close = pipes_close \
		}                                                             \
	}

#define TRIP_SIDES                                                                          \
	{                                                                                   \
		{"mkfifo", pipes_open_fifo_trip, work_round_trip},                          \
		{                                                                           \
			"ipcfs", kept_open_trip, work_round_trip, .close = pipes_close_trip \
		}                                                                           \
	}

static const struct row rows[] = {
	{"64 B round trip", "pipes", 64, UNIT_MICROSECONDS, .is_kept = true, .bound = BOUND_SPEED,
	 .targets = {0.95, 0.95}, .sides = TRIP_SIDES},
	{"64 KiB round trip", "pipes", 65536, UNIT_MICROSECONDS, .is_kept = true,
	 .sides = TRIP_SIDES},
	{"64 KiB writes", "pipes", 65536, UNIT_RATE, .is_kept = true, .bound = BOUND_SPEED,
	 .targets = {0.95, 1.5}, .sides = STREAM_SIDES},
	{"1 MiB writes", "pipes", 1 << 20, UNIT_RATE, .is_kept = true, .bound = BOUND_SPEED,
	 .targets = {1, 2.5}, .sides = STREAM_SIDES},
	{"write, then read to end-of-file", "pipes", 64, UNIT_MICROSECONDS, .is_kept = true,
	 .sides = {{"file, tmpfs", .work = work_file_rounds, .close = file_close},
		   {"ipcfs", kept_make, work_kept_rounds, .close = pipes_close}}},
	{.work = NULL},
};

const struct group pipe_group = {"pipes", "Pipes: kept FIFOs", rows};
