// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What holds for every kind whose objects are addresses, or directories that contain addresses.
 * Each row of `ways` is a way to be connected to a native socket.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/sample.h"
#include "tests/unit/sockets.h"

/* A file of the daemon, and the native socket at the other end of its connection. */
struct ends {
	struct file *file;
	int fd;
	int listening; /* the socket that accepted `fd`, or -1 */
};

static const struct way {
	const struct kind *kind;
	int type;
} ways[] = {
	{&unix_kind, SOCK_STREAM},     {&unix_kind, SOCK_SEQPACKET}, {&unix_kind, SOCK_DGRAM},
	{&abstract_kind, SOCK_STREAM}, {&tcp_kind, SOCK_STREAM},     {&udp_kind, SOCK_DGRAM},
	{&server_kind, SOCK_STREAM},
};
#define N_WAYS (sizeof(ways) / sizeof(ways[0]))

static bool has_messages(int i)
{
	return ways[i].type != SOCK_STREAM;
}

/* Follows the path, and returns the channel that it leads to. */
static struct channel *walk(struct space *space, char *path)
{
	struct entry entry = {.space = space_ref(space)};
	char *rest;

	for (char *name = strtok_r(path, "/", &rest); name; name = strtok_r(NULL, "/", &rest)) {
		struct space *directory = entry.space;

		must(socket_find(directory, name, &root, &entry));
		space_unref(directory);
	}
	ck_assert_ptr_nonnull(entry.channel);
	return entry.channel;
}

/*
 * Makes the native end listen. Returns its socket, and writes to `path` the path that leads to it.
 */
static int listen_natively(const struct way *way, char *path)
{
	unsigned short port = 0;
	int fd;

	if (way->kind == &unix_kind) {
		strcpy(path, SOCKET_PATH);
		return native_unix(way->type);
	}
	if (way->kind == &abstract_kind) {
		strcpy(path, "ipcfs-test");
		return native_abstract("ipcfs-test", way->type);
	}
	fd = native_inet(way->type, &port);
	sprintf(path, "127.0.0.1/%u", port);
	return fd;
}

/* Has the file send a datagram, and connects the native socket to the sender. */
static void connect_back(struct ends *ends)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	char data[8];

	file_put(ends->file, "hi");
	must_call(recvfrom(ends->fd, data, sizeof(data), 0, (struct sockaddr *)&address, &size));
	must_call(connect(ends->fd, (struct sockaddr *)&address, size));
}

static struct ends connect_to(const struct way *way, struct space *space)
{
	char path[64];
	int listening = listen_natively(way, path);
	struct channel *channel = walk(space, path);
	struct ends ends = {.fd = listening, .listening = -1};

	must(socket_open(channel, O_RDWR, &root, &ends.file));
	channel_unref(channel);
	if (way->type == SOCK_DGRAM) {
		connect_back(&ends);
	} else {
		ends.fd = native_accept(listening);
		ends.listening = listening;
	}
	return ends;
}

/* Makes a server, and connects a native client to it: the other way round from connect_to(). */
static struct ends accept_from(struct space *space)
{
	struct selector selector;
	struct entry made = {0};
	struct channel *channel;
	char path[] = "s/accept";
	struct ends ends = {.listening = -1};
	const struct settings settings = {.given = 1, .texts = {"abstract:ipcfs-test"}};

	must(space_create(space, "s", S_IFDIR | 0700, &settings, &root, &made, &selector));
	entry_unref(&made);
	channel = walk(space, path);
	ends.fd = native_connect("ipcfs-test");
	must(socket_open(channel, O_RDWR, &root, &ends.file));
	channel_unref(channel);
	return ends;
}

static struct ends connected(int i)
{
	struct space *space = fixture_open(ways[i].kind);

	return ways[i].kind == &server_kind ? accept_from(space) : connect_to(&ways[i], space);
}

static void end(struct ends *ends)
{
	object_close(ends->file);
	if (ends->fd >= 0)
		close(ends->fd);
	if (ends->listening >= 0)
		close(ends->listening);
}

START_TEST(test_sockets_list_of_ways_has_every_kind)
{
	for (int i = 0; kinds[i]; i++) {
		bool is_here = !sample_is_socket(kinds[i]);

		for (size_t j = 0; j < N_WAYS; j++)
			is_here = is_here || ways[j].kind == kinds[i];
		ck_assert_msg(is_here, "%s", kinds[i]->path);
	}
}
END_TEST

START_TEST(test_sockets_bytes_go_both_ways)
{
	struct ends ends = connected(_i);

	file_put(ends.file, "there");
	native_get(ends.fd, "there");
	native_put(ends.fd, "back", 4);
	socket_expect(ends.file, "back");
	end(&ends);
}
END_TEST

START_TEST(test_sockets_read_waits_for_what_comes)
{
	struct ends ends = connected(_i);
	struct held held = {0};

	held_read(&held, ends.file, 100);
	loop_settle();
	ck_assert_uint_eq(held.n, 0);
	native_put(ends.fd, "late", 4);
	held_wait(&held);
	held_expect(&held, "late");
	end(&ends);
}
END_TEST

/* While the other end takes nothing, the writer waits. It goes on when there is room. */
START_TEST(test_sockets_write_waits_for_room)
{
	struct ends ends = connected(_i);
	struct held held = {0};
	char data[65536];
	ssize_t n = 1;

	for (int i = 0; n > 0 && i < 10000; i++)
		n = channel_write(ends.file, data, has_messages(_i) ? 1000 : sizeof(data), 0);
	if (ways[_i].kind == &udp_kind) { /* UDP drops a message that it has no room for */
		ck_assert_int_eq(n, 1000);
		end(&ends);
		return;
	}
	ck_assert_int_eq(n, -EAGAIN);
	ck_assert(!(channel_poll(ends.file) & EPOLLOUT));
	held_write(&held, ends.file, "x", 1);
	while (held.n == 0) {
		must_call(recv(ends.fd, data, sizeof(data), MSG_DONTWAIT));
		loop_settle();
	}
	held_expect_result(&held, 1);
	end(&ends);
}
END_TEST

START_TEST(test_sockets_poll_tells_each_edge)
{
	struct ends ends = connected(_i);
	struct watch watch = {0};

	ck_assert_uint_eq(channel_poll(ends.file) & (EPOLLIN | EPOLLOUT), EPOLLOUT);
	for (unsigned i = 1; i <= 3; i++) {
		watch_start(&watch, ends.file);
		native_put(ends.fd, "x", 1);
		watch_wait(&watch, i);
		ck_assert_uint_eq(channel_poll(ends.file) & EPOLLIN, EPOLLIN);
		socket_expect(ends.file, "x");
		ck_assert_uint_eq(channel_poll(ends.file) & EPOLLIN, 0);
	}
	end(&ends);
}
END_TEST

/* A message can be read piece by piece, and never runs into the next message. */
START_TEST(test_sockets_message_stays_one)
{
	struct ends ends = connected(_i);

	native_put(ends.fd, "first", 5);
	native_put(ends.fd, "second", 6);
	loop_settle();
	if (has_messages(_i)) {
		file_expect(ends.file, 2, "fi");
		file_expect(ends.file, 100, "rst");
		file_expect(ends.file, 100, "second");
		file_put(ends.file, "one");
		file_put(ends.file, "two");
		native_get(ends.fd, "one");
		native_get(ends.fd, "two");
	} else {
		file_expect(ends.file, 100, "firstsecond");
	}
	end(&ends);
}
END_TEST

/*
 * Writes until a write fails. With TCP and UDP, the kernel has to hear first that nobody is there.
 */
static ssize_t write_in_vain(struct file *file)
{
	ssize_t n;

	do
		n = channel_write(file, "x", 1, 0);
	while (n == 1);
	return n;
}

START_TEST(test_sockets_other_end_closed_is_the_end)
{
	struct ends ends = connected(_i);
	ssize_t n;

	native_put(ends.fd, "last", 4);
	close(TAKE_FD(ends.fd));
	socket_expect(ends.file, "last");
	if (ways[_i].type == SOCK_DGRAM) {
		must_fail(write_in_vain(ends.file), ECONNREFUSED);
	} else {
		socket_expect(ends.file, "");
		socket_expect(ends.file, "");
		ck_assert(channel_poll(ends.file) & EPOLLRDHUP);
		n = write_in_vain(ends.file);
		ck_assert_msg(n == -EPIPE || n == -ECONNRESET, "%s", error_name(n));
	}
	end(&ends);
}
END_TEST

/* Another open of the same channel shares the connection. */
START_TEST(test_sockets_last_writer_closed_is_the_end_for_the_other)
{
	struct ends ends = connected(_i);
	struct file *reader = object_open(ends.file->channel, O_RDONLY);

	file_put(ends.file, "question");
	object_close(ends.file);
	ends.file = reader;
	native_get(ends.fd, "question");
	if (ways[_i].type != SOCK_DGRAM)
		native_get(ends.fd, "");
	native_put(ends.fd, "answer", 6);
	socket_expect(reader, "answer");
	end(&ends);
}
END_TEST

START_TEST(test_sockets_closed_leaves_nothing)
{
	struct ends ends = connected(_i);

	ck_assert_uint_ge(user_charged(&host.users, 0, USER_DESCRIPTORS), 1);
	object_close(ends.file);
	if (ways[_i].type != SOCK_DGRAM)
		native_get(ends.fd, "");
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_FILES), 0);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_SLEEPS), 0);
	close(ends.fd);
	if (ends.listening >= 0)
		close(ends.listening);
}
END_TEST

START_TEST(test_sockets_open_connection_is_its_makers_alone)
{
	struct ends ends = connected(_i);
	struct stat attr = object_stat(ends.file->channel);

	ck_assert_uint_eq(attr.st_mode, S_IFREG | 0600);
	ck_assert_uint_eq(attr.st_uid, 0);
	must_fail(object_truncate(ends.file->channel, 0, &root), EINVAL);
	must_fail(object_chmod(ends.file->channel, 0666, &root), EPERM);
	end(&ends);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sockets");

	suite_add(suite, "list",
		  (const TTest *const[]){test_sockets_list_of_ways_has_every_kind, NULL});
	suite_add_loop(suite, "ways",
		       (const TTest *const[]){
			       test_sockets_bytes_go_both_ways,
			       test_sockets_read_waits_for_what_comes,
			       test_sockets_write_waits_for_room,
			       test_sockets_poll_tells_each_edge,
			       test_sockets_message_stays_one,
			       test_sockets_other_end_closed_is_the_end,
			       test_sockets_last_writer_closed_is_the_end_for_the_other,
			       test_sockets_closed_leaves_nothing,
			       test_sockets_open_connection_is_its_makers_alone,
			       NULL,
		       },
		       N_WAYS);
	return suite_run(suite);
}
