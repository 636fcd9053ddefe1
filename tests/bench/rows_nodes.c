// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * FIFO and socket nodes: the kernel alone serves them, in the mount as on a tmpfs.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include "tests/bench/ends.h"
#include "tests/bench/local.h"
#include "tests/bench/must.h"
#include "tests/bench/work.h"

static const char *find_path(const struct ends *ends, bool is_native, const char *name)
{
	char path[32];

	snprintf(path, sizeof(path), "pipes/%s", name);
	return is_native ? bench_native(ends->bench, name) : bench_mount(ends->bench, path);
}

static void open_fifos(struct ends *ends, bool is_native)
{
	must(mkfifo(find_path(ends, is_native, "there"), 0600));
	ends_open_there(ends, find_path(ends, is_native, "there"));
	must(mkfifo(find_path(ends, is_native, "back"), 0600));
	ends_open_back(ends, find_path(ends, is_native, "back"));
	must(unlink(find_path(ends, is_native, "there")));
	must(unlink(find_path(ends, is_native, "back")));
}

static void open_socket(struct ends *ends, bool is_native)
{
	const char *path = find_path(ends, is_native, "socket");
	int listener = local_listen(path);

	ends->out = ends->in = local_connect(path);
	ends->peer_in = ends->peer_out = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	close(listener);
	must(unlink(path));
}

static void native_fifo_trip(struct ends *ends)
{
	open_fifos(ends, true);
	ends_echo(ends);
}

static void ipcfs_fifo_trip(struct ends *ends)
{
	open_fifos(ends, false);
	ends_echo(ends);
}

static void native_fifo_stream(struct ends *ends)
{
	open_fifos(ends, true);
	ends_sink(ends);
}

static void ipcfs_fifo_stream(struct ends *ends)
{
	open_fifos(ends, false);
	ends_sink(ends);
}

static void native_socket_trip(struct ends *ends)
{
	open_socket(ends, true);
	ends_echo(ends);
}

static void ipcfs_socket_trip(struct ends *ends)
{
	open_socket(ends, false);
	ends_echo(ends);
}

static void native_socket_stream(struct ends *ends)
{
	open_socket(ends, true);
	ends_sink(ends);
}

static void ipcfs_socket_stream(struct ends *ends)
{
	open_socket(ends, false);
	ends_sink(ends);
}

static const struct row rows[] = {
	{"FIFO node, 64 B round trip", "pipes", 64, UNIT_MICROSECONDS, .bound = BOUND_SPEED,
	 .targets = {0.95, 0.95, 0.95},
	 .sides = {{"mkfifo, tmpfs", native_fifo_trip, work_round_trip},
		   {"ipcfs", ipcfs_fifo_trip, work_round_trip}}},
	{"FIFO node, stream 64 KiB", "pipes", 65536, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {0.95, 0.95, 0.95},
	 .sides = {{"mkfifo, tmpfs", native_fifo_stream, work_stream},
		   {"ipcfs", ipcfs_fifo_stream, work_stream}}},
	{"socket node, 64 B round trip", "pipes", 64, UNIT_MICROSECONDS, .bound = BOUND_SPEED,
	 .targets = {0.95, 0.95, 0.95},
	 .sides = {{"Unix socket, tmpfs", native_socket_trip, work_round_trip},
		   {"ipcfs", ipcfs_socket_trip, work_round_trip}}},
	{"socket node, stream 64 KiB", "pipes", 65536, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {0.95, 0.95, 0.95},
	 .sides = {{"Unix socket, tmpfs", native_socket_stream, work_stream},
		   {"ipcfs", ipcfs_socket_stream, work_stream}}},
	{.work = NULL},
};

const struct group node_group = {"nodes", "FIFO and socket nodes", rows};
