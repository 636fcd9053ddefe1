// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections that have messages: messages of any length, empty messages, and errors that come in
 * place of a message.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/socket/connection.h"
#include "lib/kinds/socket/connections.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"
#include "tests/unit/sockets.h"

enum { LONG = 200000 };

/* A connection of the daemon, and the native datagram socket at its other end. */
static struct connections *list;
static struct connection *connection;
static struct file *file;
static int other;

static void connection_begin(int fd)
{
	must(connections_new(&host, &unix_kind, NULL, &list));
	must(connection_new(&connection_ops, list, "pair", NULL, &connection));
	file = object_open(&connection->channel, O_RDWR);
	connection_set(connection, fd, 0);
}

static void pair_open(void)
{
	int pair[2];

	must_call(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair));
	connection_begin(pair[1]);
	other = pair[0];
}

/* The same, with a TCP stream. */
static void stream_open(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	unsigned short port;
	int listening = native_inet(SOCK_STREAM, &port);
	int fd = (int)must_call(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));

	address.sin_port = htons(port);
	must_call(connect(fd, (const struct sockaddr *)&address, sizeof(address)));
	connection_begin(fd);
	other = native_accept(listening);
	close(listening);
}

static void pair_close(void)
{
	object_close(file);
	channel_unref(&connection->channel);
	space_unref(&list->space);
	if (other >= 0)
		close(other);
}

START_TEST(test_connection_messages_long_one_comes_whole)
{
	static char sent[LONG], got[LONG];
	int size = 4 * LONG;
	ssize_t n;

	pair_open();
	must_call(setsockopt(other, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)));
	for (int i = 0; i < LONG; i++)
		sent[i] = (char)(i * 7);
	native_put(other, sent, LONG);
	native_put(other, "next", 4);
	for (size_t done = 0; done < LONG; done += (size_t)n) {
		const void *data;

		n = must(channel_read(file, LONG / 3, 0, &data));
		ck_assert_int_gt(n, 0);
		memcpy(got + done, data, (size_t)n);
	}
	ck_assert_mem_eq(sent, got, LONG);
	socket_expect(file, "next");
	pair_close();
}
END_TEST

START_TEST(test_connection_messages_empty_is_one)
{
	pair_open();
	native_put(other, "", 0);
	native_put(other, "x", 1);
	socket_expect(file, "");
	socket_expect(file, "x");
	pair_close();
}
END_TEST

/*
 * Asking for the length of the next message clears the socket's pending error, so the read must
 * return that error there and then.
 */
START_TEST(test_connection_messages_refused_is_told_to_who_reads)
{
	struct space *udp = fixture_open(&udp_kind);
	struct channel *channel;
	unsigned short port;
	int bound = native_inet(SOCK_DGRAM, &port);
	struct entry host_entry;
	char name[8];

	snprintf(name, sizeof(name), "%u", port);
	must(socket_find(udp, "127.0.0.1", &root, &host_entry));
	channel = object_find(host_entry.space, name);
	must(socket_open(channel, O_RDWR, &root, &file));
	close(bound);
	file_put(file, "x");
	must_fail(file_try_read(file, 1), ECONNREFUSED);
	object_close(file);
	channel_unref(channel);
	entry_unref(&host_entry);
}
END_TEST

/* As natively: what has arrived can be read, and only then comes the error, once. */
START_TEST(test_connection_messages_reset_comes_after_what_has_arrived)
{
	const struct linger abort = {.l_onoff = 1};
	const uint32_t both = EPOLLIN | EPOLLERR;

	stream_open();
	native_put(other, "last", 4);
	must_call(setsockopt(other, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort)));
	close(TAKE_FD(other));
	ck_assert_uint_eq(channel_poll(file) & both, both);
	file_expect(file, 2, "la");
	ck_assert_uint_eq(channel_poll(file) & both, both);
	file_expect(file, 10, "st");
	must_fail(file_try_read(file, 10), ECONNRESET);
	ck_assert_int_eq(file_try_read(file, 10), 0);
	pair_close();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("connection_messages");

	suite_add(suite, "datagrams",
		  (const TTest *const[]){
			  test_connection_messages_long_one_comes_whole,
			  test_connection_messages_empty_is_one,
			  test_connection_messages_refused_is_told_to_who_reads,
			  test_connection_messages_reset_comes_after_what_has_arrived,
			  NULL,
		  });
	return suite_run(suite);
}
