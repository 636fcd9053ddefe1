// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the kernel reports of sockets that the test has made.
 */
#include "lib/host/sock_diag.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "tests/unit/fixture.h"
#include "tests/unit/sockets.h"

static ino_t ino_of(int fd)
{
	struct stat attr;

	must_call(fstat(fd, &attr));
	return attr.st_ino;
}

static unsigned n_found;

static bool count_name(void *data, const char *name, size_t size)
{
	n_found += size == strlen(data) && memcmp(name, data, size) == 0;
	return true;
}

START_TEST(test_sock_diag_abstract_names_who_can_be_reached)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
	CLEANUP_FD int fd = native_abstract("ipcfs-test", types[_i]);

	must(sock_diag_abstract(count_name, "ipcfs-test"));
	ck_assert_uint_eq(n_found, 1);
	close(TAKE_FD(fd));
	must(sock_diag_abstract(count_name, "ipcfs-test"));
	ck_assert_uint_eq(n_found, 1);
}
END_TEST

START_TEST(test_sock_diag_abstract_does_not_name_paths)
{
	CLEANUP_FD int fd = native_unix(SOCK_STREAM);

	must(sock_diag_abstract(count_name, SOCKET_PATH + 1));
	ck_assert_uint_eq(n_found, 0);
}
END_TEST

static bool count_address(void *data, const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;

	n_found += v4->sin_family == AF_INET && ntohs(v4->sin_port) == *(unsigned short *)data &&
		   v4->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
	return true;
}

START_TEST(test_sock_diag_inet_lists_who_can_be_reached)
{
	int type = _i ? SOCK_DGRAM : SOCK_STREAM;
	unsigned short port;
	CLEANUP_FD int fd = native_inet(type, &port);

	must(sock_diag_inet(_i ? IPPROTO_UDP : IPPROTO_TCP, count_address, &port));
	ck_assert_uint_eq(n_found, 1);
}
END_TEST

static bool stop(void *data, const struct sockaddr *address)
{
	n_found++;
	return false;
}

START_TEST(test_sock_diag_inet_ends_when_told_to)
{
	unsigned short port;
	CLEANUP_FD int first = native_inet(SOCK_STREAM, &port);
	CLEANUP_FD int second = native_inet(SOCK_STREAM, &port);

	must(sock_diag_inet(IPPROTO_TCP, stop, NULL));
	ck_assert_uint_eq(n_found, 1);
}
END_TEST

static int peer_of(int fd, ino_t *ret_ino)
{
	struct sock_diag_ends ends = {0};
	int r = sock_diag_ends(fd, &ends);

	return r < 0 ? r : sock_diag_peer(&ends, ret_ino);
}

START_TEST(test_sock_diag_peer_of_unix_socket_is_the_other)
{
	int pair[2];
	ino_t ino;

	must_call(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair));
	must(peer_of(pair[0], &ino));
	ck_assert_uint_eq(ino, ino_of(pair[1]));
	close(pair[0]);
	close(pair[1]);
}
END_TEST

START_TEST(test_sock_diag_peer_of_tcp_socket_is_the_other)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned short port;
	CLEANUP_FD int listening = native_inet(SOCK_STREAM, &port);
	CLEANUP_FD int client = (int)must_call(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	CLEANUP_FD int server = -1;
	ino_t ino;

	address.sin_port = htons(port);
	must_call(connect(client, (struct sockaddr *)&address, sizeof(address)));
	server = native_accept(listening);
	must(peer_of(client, &ino));
	ck_assert_uint_eq(ino, ino_of(server));
	must(peer_of(server, &ino));
	ck_assert_uint_eq(ino, ino_of(client));
}
END_TEST

START_TEST(test_sock_diag_peer_of_one_that_has_none_fails)
{
	CLEANUP_FD int fd = native_unix(SOCK_STREAM);
	ino_t ino;

	must_fail(peer_of(fd, &ino), ENOENT);
	must_fail(peer_of(-1, &ino), EBADF);
}
END_TEST

/* Whether the list contains the inode of this socket. */
static bool has(const ino_t *inos, ssize_t n, int fd)
{
	for (ssize_t i = 0; i < n; i++)
		if (inos[i] == ino_of(fd))
			return true;
	return false;
}

START_TEST(test_sock_diag_bound_has_the_listener_and_all_that_is_connected)
{
	CLEANUP_FD int listener = native_unix(SOCK_STREAM);
	CLEANUP_FD int client = native_connect_path();
	CLEANUP_FD int accepted = native_accept(listener);
	CLEANUP_FD int waiting = native_connect_path();
	CLEANUP_FD int other = native_abstract("ipcfs-test", SOCK_STREAM);
	struct stat attr;
	ino_t inos[8];
	ssize_t n;

	must_call(stat(SOCKET_PATH, &attr));
	n = sock_diag_bound(attr.st_dev, attr.st_ino, inos, 8);
	ck_assert_int_eq(n, 4);
	ck_assert(has(inos, n, listener) && has(inos, n, client) && has(inos, n, accepted) &&
		  has(inos, n, waiting));
	ck_assert(!has(inos, n, other));
	ck_assert_int_eq(sock_diag_bound(attr.st_dev, attr.st_ino, inos, 2), 2);
	ck_assert_int_eq(sock_diag_bound(attr.st_dev, attr.st_ino + 1, inos, 8), 0);
	ck_assert_int_eq(sock_diag_bound(attr.st_dev + 1, attr.st_ino, inos, 8), 0);
}
END_TEST

/* A bound datagram socket has no peer, but a socket that is connected to it has it as the peer. */
START_TEST(test_sock_diag_bound_has_those_who_send_datagrams)
{
	CLEANUP_FD int bound = native_unix(SOCK_DGRAM);
	CLEANUP_FD int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = SOCKET_PATH};
	struct stat attr;
	ino_t inos[8];
	ssize_t n;

	must_call(connect(sender, (struct sockaddr *)&address, sizeof(address)));
	must_call(stat(SOCKET_PATH, &attr));
	n = sock_diag_bound(attr.st_dev, attr.st_ino, inos, 8);
	ck_assert_int_eq(n, 2);
	ck_assert(has(inos, n, bound) && has(inos, n, sender));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sock_diag");

	suite_add_loop(
		suite, "names",
		(const TTest *const[]){test_sock_diag_abstract_names_who_can_be_reached, NULL}, 3);
	suite_add_loop(suite, "protocols",
		       (const TTest *const[]){test_sock_diag_inet_lists_who_can_be_reached, NULL},
		       2);
	suite_add(suite, "others",
		  (const TTest *const[]){
			  test_sock_diag_abstract_does_not_name_paths,
			  test_sock_diag_inet_ends_when_told_to,
			  test_sock_diag_peer_of_unix_socket_is_the_other,
			  test_sock_diag_peer_of_tcp_socket_is_the_other,
			  test_sock_diag_peer_of_one_that_has_none_fails,
			  test_sock_diag_bound_has_the_listener_and_all_that_is_connected,
			  test_sock_diag_bound_has_those_who_send_datagrams,
			  NULL,
		  });
	return suite_run(suite);
}
