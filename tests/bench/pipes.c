// SPDX-License-Identifier: GPL-2.0-or-later
/* FIFOs are unlinked as soon as both ends are open; pipes of the mount are removed on close. */
#include "tests/bench/pipes.h"

#include <sys/stat.h>

#include "tests/bench/ends.h"
#include "tests/bench/must.h"

void pipes_open_fifo(struct ends *ends)
{
	const char *path = bench_native(ends->bench, "fifo");

	must(mkfifo(path, 0600));
	ends_open_there(ends, path);
	must(unlink(path));
	ends_sink(ends);
}

void pipes_open_fifo_trip(struct ends *ends)
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

void pipes_open(struct ends *ends, const char *parameters)
{
	bench_command(ends->bench, "create pipes/bench mode=0600 %s", parameters);
	ends_open_there(ends, bench_mount(ends->bench, "pipes/bench"));
	ends_sink(ends);
}

void pipes_open_trip(struct ends *ends, const char *parameters)
{
	bench_command(ends->bench, "create pipes/there mode=0600 %s", parameters);
	bench_command(ends->bench, "create pipes/back mode=0600 %s", parameters);
	ends_open_there(ends, bench_mount(ends->bench, "pipes/there"));
	ends_open_back(ends, bench_mount(ends->bench, "pipes/back"));
	ends_echo(ends);
}

void pipes_close(struct ends *ends)
{
	must(unlink(bench_mount(ends->bench, "pipes/bench")));
}

void pipes_close_trip(struct ends *ends)
{
	must(unlink(bench_mount(ends->bench, "pipes/there")));
	must(unlink(bench_mount(ends->bench, "pipes/back")));
}
