// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Streams to a server through sockets/, and through socat(1), which a script would use instead.
 */
#include <fcntl.h>
#include <sys/socket.h>

#include "tests/bench/ends.h"
#include "tests/bench/local.h"
#include "tests/bench/must.h"
#include "tests/bench/work.h"

/* Opens a side. `address` is one for socat if `is_native`, else a path in the mount. */
static void stream_open(struct ends *ends, bool is_native, const char *address, int listener)
{
	if (is_native) {
		local_open_stdin(ends, address, listener);
	} else {
		ends->out = must(open(bench_mount(ends->bench, address), O_RDWR | O_CLOEXEC));
		ends->peer_in = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
		close(listener);
	}
	ends_sink(ends);
}

static void tcp_open(struct ends *ends, bool is_native)
{
	char address[64];
	uint16_t port;
	int listener = local_listen_tcp(&port);

	snprintf(address, sizeof(address),
		 is_native ? "TCP:127.0.0.1:%u" : "sockets/tcp/127.0.0.1/%u", port);
	stream_open(ends, is_native, address, listener);
}

static void unix_open(struct ends *ends, bool is_native)
{
	const char *path = bench_native(ends->bench, is_native ? "socat" : "socket");
	char address[128];
	int listener = local_listen(path);

	snprintf(address, sizeof(address), is_native ? "UNIX-CONNECT:%s" : "sockets/unix%s", path);
	stream_open(ends, is_native, address, listener);
	must(unlink(path));
}

static void tcp_native(struct ends *ends)
{
	tcp_open(ends, true);
}

static void tcp_ipcfs(struct ends *ends)
{
	tcp_open(ends, false);
}

static void unix_native(struct ends *ends)
{
	unix_open(ends, true);
}

static void unix_ipcfs(struct ends *ends)
{
	unix_open(ends, false);
}

/* The native side connects by itself; the other side connects by opening the path in the mount. */

static void direct_connect(struct ends *ends, bool is_native)
{
	const char *path = bench_native(ends->bench, is_native ? "direct" : "opened");
	int listener = local_listen(path);
	char name[128];

	snprintf(name, sizeof(name), "sockets/unix%s", path);
	if (is_native)
		ends->out = local_connect(path);
	else
		ends->out = must(open(bench_mount(ends->bench, name), O_RDWR | O_CLOEXEC));
	ends->in = ends->out;
	ends->peer_in = ends->peer_out = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	close(listener);
	must(unlink(path));
}

static void direct_trip(struct ends *ends)
{
	direct_connect(ends, true);
	ends_echo(ends);
}

static void opened_trip(struct ends *ends)
{
	direct_connect(ends, false);
	ends_echo(ends);
}

static void direct_stream(struct ends *ends)
{
	direct_connect(ends, true);
	ends_sink(ends);
}

static void opened_stream(struct ends *ends)
{
	direct_connect(ends, false);
	ends_sink(ends);
}

#define TRIP_SIDES                                             \
	{                                                      \
		{"Unix socket", direct_trip, work_round_trip}, \
		{                                              \
			"ipcfs", opened_trip, work_round_trip  \
		}                                              \
	}
#define STREAM_SIDES                                         \
	{                                                    \
		{"Unix socket", direct_stream, work_stream}, \
		{                                            \
			"ipcfs", opened_stream, work_stream  \
		}                                            \
	}

static const struct row rows[] = {
	{"tcp, stream 64 KiB", "sockets/tcp", 65536, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {1, 1, 1},
	 .sides = {{"socat -", tcp_native, work_stream}, {"ipcfs", tcp_ipcfs, work_stream}}},
	{"unix, stream 64 KiB", "sockets/unix", 65536, UNIT_RATE, .bound = BOUND_SPEED,
	 .targets = {1, 1, 1},
	 .sides = {{"socat -", unix_native, work_stream}, {"ipcfs", unix_ipcfs, work_stream}}},
	{"unix, 64 B round trip", "sockets/unix", 64, UNIT_MICROSECONDS, .sides = TRIP_SIDES},
	{"unix, 4 KiB round trip", "sockets/unix", 4096, UNIT_MICROSECONDS, .sides = TRIP_SIDES},
	{"unix, 64 KiB round trip", "sockets/unix", 65536, UNIT_MICROSECONDS, .sides = TRIP_SIDES},
	{"unix, 1 MiB writes", "sockets/unix", 1 << 20, UNIT_RATE, .sides = STREAM_SIDES},
	{.work = NULL},
};

const struct group socket_group = {"sockets", "Sockets", rows};
