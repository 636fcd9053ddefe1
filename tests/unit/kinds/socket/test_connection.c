// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections from their first open: while they are being made, when that fails or is given up,
 * messages of any length, and how info/ shows connections.
 */
#include "lib/kinds/socket/connection.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/socket/connections.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/sockets.h"

static struct space *space;

/* Looks up the channel `unix/dev/shm/socket`, for the socket that the test has at SOCKET_PATH. */
static struct channel *find(struct caller *caller)
{
	static const char *const names[] = {"dev", "shm", "socket"};
	struct entry entry;

	space = space ? space : fixture_open(&unix_kind);
	entry.space = space_ref(space);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct space *directory = entry.space;

		must(socket_find(directory, names[i], caller, &entry));
		space_unref(directory);
	}
	return entry.channel;
}

/* Makes a listener whose backlog is full, so that the next client has to wait. fds[1] fills it. */
static int listen_full(int fds[2])
{
	fds[0] = native_unix(SOCK_STREAM);
	must_call(listen(fds[0], 0));
	fds[1] = native_connect_path();
	return fds[0];
}

START_TEST(test_connection_full_backlog_waits_for_room)
{
	struct held held = {0};
	struct channel *channel;
	struct file *file;
	int fds[2], fd;

	listen_full(fds);
	channel = find(&root);
	file = object_open(channel, O_RDWR);
	must_fail(channel_opened(file), EAGAIN);
	must_fail(file_try_read(file, 1), EAGAIN);
	ck_assert_uint_eq(channel_poll(file), 0);
	held_open(&held, file);
	fd = native_accept(fds[0]);
	held_wait(&held);
	held_expect_result(&held, 0);
	ck_assert_uint_eq(channel_poll(file) & (EPOLLIN | EPOLLOUT), EPOLLOUT);
	object_close(file);
	channel_unref(channel);
	close(fd);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(test_connection_given_up_while_it_waits_leaves_nothing)
{
	struct channel *channel;
	int fds[2];

	listen_full(fds);
	channel = find(&root);
	for (int i = 0; i < 50; i++) {
		struct file *file = object_open(channel, O_RDWR);

		if (i % 2)
			loop_settle();
		object_close(file);
	}
	channel_unref(channel);
	host_stop(&host); /* waits until the threads have given up, too */
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_SLEEPS), 0);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 0);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

static struct channel *find_tcp(const char *host_name, unsigned short port)
{
	static struct space *tcp;
	struct entry entry;
	struct space *directory;
	char name[8];

	tcp = tcp ? tcp : fixture_open(&tcp_kind);
	must(socket_find(tcp, host_name, &root, &entry));
	directory = entry.space;
	sprintf(name, "%u", port);
	must(socket_find(directory, name, &root, &entry));
	space_unref(directory);
	return entry.channel;
}

/*
 * A host name can have several addresses (here from /etc/hosts), and not all of them need have a
 * listener.
 */
START_TEST(test_connection_goes_on_to_the_next_address)
{
	unsigned short port;
	int listening = native_inet(SOCK_STREAM, &port);
	struct channel *channel;
	struct file *file;
	FILE *hosts;

	must_call(mount("tmpfs", "/mnt", "tmpfs", 0, NULL));
	hosts = fopen("/mnt/hosts", "we");
	fputs("127.0.0.2 several\n127.0.0.3 several\n127.0.0.1 several\n", hosts);
	fclose(hosts);
	must_call(mount("/mnt/hosts", "/etc/hosts", NULL, MS_BIND, NULL));
	channel = find_tcp("several", port);
	must(socket_open(channel, O_RDWR, &root, &file));
	object_close(file);
	channel_unref(channel);
	close(listening);
	channel = find_tcp("several", port);
	must_fail(socket_open(channel, O_RDWR, &root, &file), ECONNREFUSED);
	channel_unref(channel);
}
END_TEST

START_TEST(test_connection_that_the_network_makes_takes_no_thread)
{
	unsigned short port;
	int listening = native_inet(SOCK_STREAM, &port);
	struct channel *channel = find_tcp("127.0.0.1", port);
	struct file *files[8];
	unsigned n_waiting = 0;

	must_call(listen(listening, 0)); /* room for one */
	for (size_t i = 0; i < 8; i++) {
		struct channel *each = find_tcp("127.0.0.1", port);

		files[i] = object_open(each, O_RDWR);
		channel_unref(each);
	}
	while (user_charged(&host.users, 0, USER_SLEEPS))
		loop_settle();
	for (size_t i = 0; i < 8; i++)
		n_waiting += channel_write(files[i], NULL, 0, 0) == -EAGAIN;
	ck_assert_uint_ge(n_waiting, 4);
	for (size_t i = 0; i < 8; i++)
		object_close(files[i]);
	channel_unref(channel);
	close(listening);
}
END_TEST

START_TEST(test_connection_refused_stays_so_until_it_is_closed)
{
	int listening = native_unix(SOCK_STREAM);
	struct channel *channel = find(&root);
	struct file *file, *other;

	close(listening); /* the path stays */
	must_fail(socket_open(channel, O_RDWR, &root, &file), ECONNREFUSED);
	file = object_open(channel, O_RDWR | O_NONBLOCK);
	while (!(channel_poll(file) & EPOLLERR))
		loop_settle();
	must_fail(file_try_read(file, 1), ECONNREFUSED);
	must_fail(channel_write(file, "x", 1, 0), ECONNREFUSED);
	unlink(SOCKET_PATH);
	listening = native_unix(SOCK_STREAM);
	must_fail(socket_open(channel, O_RDWR, &root, &other), ECONNREFUSED);
	object_close(file);
	must(socket_open(channel, O_RDWR, &root, &file));
	object_close(file);
	channel_unref(channel);
	close(listening);
}
END_TEST

START_TEST(test_connection_shared_by_whoever_opens_it_again)
{
	int listening = native_unix(SOCK_STREAM);
	struct channel *channel = find(&root);
	struct file *first, *second;
	int fd;

	must(socket_open(channel, O_RDWR, &root, &first));
	fd = native_accept(listening);
	must(socket_open(channel, O_WRONLY, &root, &second));
	file_put(first, "a");
	file_put(second, "b");
	object_close(first);
	native_get(fd, "ab");
	object_close(second);
	native_get(fd, "");
	channel_unref(channel);
	close(fd);
	close(listening);
}
END_TEST

static int connect_result;

static int connect_fails(const struct dial_target *target, int *ret_fd)
{
	return connect_result;
}

/*
 * Some errors of connect() would tell the caller something else, and are replaced: -EAGAIN would
 * mean to wait, and -EMFILE that the caller has too many files.
 */
START_TEST(test_connection_failing_for_want_of_something_ends)
{
	static const int errors[][2] = {
		{-EAGAIN, EADDRNOTAVAIL}, {-EMFILE, ENFILE}, {-EHOSTUNREACH, EHOSTUNREACH}};
	const struct dial_target target = {.connect = connect_fails, .address = "", .size = 0};
	struct connections *list;
	struct connection *connection;
	struct file *file;

	connect_result = errors[_i][0];
	must(connections_new(&host, &unix_kind, NULL, &list));
	must(connection_new(&connection_ops, list, "no", &target, &connection));
	must_fail(socket_open(&connection->channel, O_RDWR, &root, &file), errors[_i][1]);
	channel_unref(&connection->channel);
	space_unref(&list->space);
}
END_TEST

START_TEST(test_connection_is_shown_while_it_is_open)
{
	int listening = native_unix(SOCK_STREAM);
	struct channel *channel = find(&root);
	struct channel *shown;
	struct file *file;

	ck_assert_int_eq(space_count(space->shown), 0);
	must(socket_open(channel, O_RDWR, &root, &file));
	ck_assert_int_eq(space_count(space->shown), 1);
	must(object_lookup(space->shown, "dev%2Fshm%2Fsocket#1", &shown));
	ck_assert_ptr_eq(shown, channel);
	channel_unref(shown);
	must_fail(object_lookup(space->shown, "dev%2Fshm%2Fsocket", NULL), ENOENT);
	must_fail(object_lookup(space->shown, "dev%2Fshm%2Fother#1", NULL), ENOENT);
	must_fail(object_lookup(space->shown, "dev%2Fshm%2Fsocket#2", NULL), ENOENT);
	object_close(file);
	ck_assert_int_eq(space_count(space->shown), 0);
	channel_unref(channel);
	close(listening);
}
END_TEST

START_TEST(test_connection_peek_takes_nothing)
{
	int listening = native_unix(SOCK_STREAM);
	struct channel *channel = find(&root);
	char *text = NULL;
	struct file *file;
	size_t size;
	FILE *out;
	int fd;

	must(socket_open(channel, O_RDWR, &root, &file));
	fd = native_accept(listening);
	native_put(fd, "hello", 5);
	out = open_memstream(&text, &size);
	must(connection_peek(channel, &root, out));
	fclose(out);
	ck_assert_str_eq(text, "hello");
	free(text);
	socket_expect(file, "hello");
	object_close(file);
	channel_unref(channel);
	close(fd);
	close(listening);
}
END_TEST

START_TEST(test_connection_beyond_the_users_limits_fails)
{
	int listening = native_unix(SOCK_STREAM);
	struct channel *channel = find(&root);
	struct file *file;

	host.users.limits[USER_SLEEPS] = 0;
	must_fail(object_open_as(channel, O_RDWR, &root, &file), ENOBUFS);
	host.users.limits[USER_SLEEPS] = 1;
	host.users.limits[USER_DESCRIPTORS] = 0;
	must_fail(object_open_as(channel, O_RDWR, &root, &file), ENFILE);
	host.users.limits[USER_DESCRIPTORS] = 1;
	must(socket_open(channel, O_RDWR, &root, &file));
	object_close(file);
	channel_unref(channel);
	close(listening);
}
END_TEST

struct looking {
	struct channel *channel;
	struct footprint found;
};

static int look_once(void *data)
{
	struct looking *looking = data;

	return channel_footprint(looking->channel, &root, &looking->found);
}

/*
 * To find the peer, the kernel goes through all Unix sockets of the machine. That takes too long
 * for the loop.
 */
START_TEST(test_connection_peer_is_looked_for_elsewhere_and_once)
{
	CLEANUP_FD int listening = native_unix(SOCK_STREAM);
	struct looking looking = {.channel = find(&root)};
	CLEANUP_FD int fd = -1;
	struct file *file;
	struct stat attr;

	must(socket_open(looking.channel, O_RDWR, &root, &file));
	host.is_serving = true;
	must(loop_wait_for(&root, look_once, &looking));
	ck_assert_uint_eq(looking.found.dev, 0); /* no process has the peer yet */
	fd = native_accept(listening);
	must_call(fstat(fd, &attr));
	must_fail(look_once(&looking), EAGAIN);
	must(loop_wait_for(&root, look_once, &looking));
	ck_assert_uint_eq(looking.found.ino, attr.st_ino);
	ck_assert_uint_eq(looking.found.dev, attr.st_dev);
	looking.found = (struct footprint){0};
	must(look_once(&looking));
	ck_assert_uint_eq(looking.found.ino, attr.st_ino);
	object_close(file);
	channel_unref(looking.channel);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("connection");

	suite_add(suite, "making",
		  (const TTest *const[]){
			  test_connection_full_backlog_waits_for_room,
			  test_connection_given_up_while_it_waits_leaves_nothing,
			  test_connection_refused_stays_so_until_it_is_closed,
			  test_connection_shared_by_whoever_opens_it_again,
			  test_connection_goes_on_to_the_next_address,
			  test_connection_that_the_network_makes_takes_no_thread,
			  test_connection_beyond_the_users_limits_fails,
			  NULL,
		  });
	suite_add_loop(
		suite, "failing",
		(const TTest *const[]){test_connection_failing_for_want_of_something_ends, NULL},
		3);
	suite_add(suite, "info",
		  (const TTest *const[]){
			  test_connection_is_shown_while_it_is_open,
			  test_connection_peek_takes_nothing,
			  test_connection_peer_is_looked_for_elsewhere_and_once,
			  NULL,
		  });
	return suite_run(suite);
}
