// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each listener serves one connection and is then closed.
 */
#include "tests/bench/local.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "tests/bench/ends.h"
#include "tests/bench/must.h"

#define N_TRIES 10000 /* one per millisecond */

static struct sockaddr_un make_address(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >=
	    (int)sizeof(address.sun_path))
		fail("%s: too long for a socket", path);
	return address;
}

int local_listen(const char *path)
{
	struct sockaddr_un address = make_address(path);
	int fd = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	must(bind(fd, (const struct sockaddr *)&address, sizeof(address)));
	must(listen(fd, 8));
	return fd;
}

int local_connect(const char *path)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct sockaddr_un address = make_address(path);
	int fd = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));

	for (int i = 0; i < N_TRIES; i++) {
		if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
			return fd;
		if (errno != ENOENT && errno != ECONNREFUSED)
			break;
		nanosleep(&pause, NULL);
	}
	fail("%s: %s", path, strerror(errno));
}

int local_listen_tcp(uint16_t *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = must(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	must(bind(fd, (const struct sockaddr *)&address, size));
	must(listen(fd, 8));
	must(getsockname(fd, (struct sockaddr *)&address, &size));
	*ret_port = ntohs(address.sin_port);
	return fd;
}

void local_open_between(struct ends *ends)
{
	const char *there = bench_native(ends->bench, "socat-there");
	const char *back = bench_native(ends->bench, "socat-back");
	char from[128], to[128];
	int listener = local_listen(back);

	snprintf(from, sizeof(from), "UNIX-LISTEN:%s", there);
	snprintf(to, sizeof(to), "UNIX-CONNECT:%s", back);
	ends_run(ends, ROLE_DAEMON, (char *[]){"socat", from, to, NULL}, -1, -1);
	ends->out = local_connect(there);
	ends->peer_in = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	close(listener);
	unlink(there);
	unlink(back);
}

void local_open_stdin(struct ends *ends, const char *address, int listener)
{
	int input[2];

	must(pipe2(input, O_CLOEXEC));
	ends_run(ends, ROLE_DAEMON, (char *[]){"socat", "-", (char *)address, NULL}, input[0], -1);
	close(input[0]);
	ends->out = input[1];
	ends->peer_in = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
	close(listener);
}
