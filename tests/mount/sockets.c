/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plain system calls. Reads and accepts poll first, so that a test fails instead of hanging.
 */
#include "tests/mount/sockets.h"

#include "tests/mount/fixture.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static socklen_t fill_unix(const char *path, struct sockaddr_un *ret_address)
{
	*ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
	ck_assert_uint_lt(strlen(path), sizeof(ret_address->sun_path));
	strcpy(ret_address->sun_path, path);
	if (*path != '@')
		return sizeof(*ret_address);
	ret_address->sun_path[0] = 0;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
}

int socket_unix(const char *path, int type, int backlog)
{
	int fd = (int)must(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
	struct sockaddr_un address;
	socklen_t size = fill_unix(path, &address);

	must(bind(fd, (struct sockaddr *)&address, size));
	if (type != SOCK_DGRAM)
		must(listen(fd, backlog));
	return fd;
}

int socket_connect(const char *path, int type)
{
	int fd = (int)must(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
	struct sockaddr_un address;
	socklen_t size = fill_unix(path, &address);

	must(connect(fd, (struct sockaddr *)&address, size));
	return fd;
}

int socket_inet(int family, int type, int backlog, int *ret_port)
{
	int fd = (int)must(socket(family, type | SOCK_CLOEXEC, 0));
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr *address = family == AF_INET ? (void *)&v4 : (void *)&v6;
	socklen_t size = family == AF_INET ? sizeof(v4) : sizeof(v6);

	must(bind(fd, address, size));
	must(getsockname(fd, address, &size));
	*ret_port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
	if (type == SOCK_STREAM)
		must(listen(fd, backlog));
	return fd;
}

static void wait_for(int fd)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};

	ck_assert_msg(must(poll(&ready, 1, 5000)) == 1, "nothing comes from a socket");
}

int socket_accept(int fd)
{
	wait_for(fd);
	return (int)must(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
}

ssize_t socket_take(int fd, void *buf, size_t size)
{
	wait_for(fd);
	return recv(fd, buf, size, 0);
}

void must_read(int fd, const char *expected)
{
	size_t size = strlen(expected), done = 0;
	char buf[4096];

	ck_assert_uint_le(size, sizeof(buf));
	while (done < size) {
		ssize_t n;

		wait_for(fd);
		n = (ssize_t)must(read(fd, buf + done, size - done));
		ck_assert_msg(n > 0, "end-of-file after %zu bytes of %zu", done, size);
		done += (size_t)n;
	}
	ck_assert_mem_eq(buf, expected, size);
}

const char *unix_name(const char *scratch_name)
{
	static char name[4200];

	snprintf(name, sizeof(name), "sockets/unix%s", scratch_path(scratch_name));
	return name;
}

const char *inet_name(const char *kind, const char *host, int port)
{
	static char name[512];

	snprintf(name, sizeof(name), "sockets/%s/%s/%d", kind, host, port);
	return name;
}
