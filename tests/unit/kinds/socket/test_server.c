// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Servers: which open accepts which client, and in which order; how servers end, and who owns them.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/channel.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/peer.h"
#include "tests/unit/sockets.h"

#define NAME "ipcfs-test"

enum { LISTEN, TYPE, BACKLOG };

static struct space *space;

struct making {
	struct settings settings;
	mode_t mode;
	struct caller *caller;
	struct space *directory;
};

static int make_once(void *data)
{
	struct making *making = data;
	struct selector selector;
	struct entry entry;
	int r = space_create(space, "s", making->mode, &making->settings, making->caller, &entry,
			     &selector);

	if (r == 0)
		making->directory = entry.space;
	return r;
}

/* Makes a server `s` that listens at the address. Returns 0 and *ret_directory, or -errno. */
static int make(const char *address, mode_t mode, struct caller *caller,
		struct space **ret_directory)
{
	struct making making = {.settings = {.given = 1U << LISTEN, .texts = {address}},
				.mode = S_IFDIR | mode,
				.caller = caller};
	int r;

	space = space ? space : fixture_open(&server_kind);
	r = loop_wait_for(caller, make_once, &making);
	*ret_directory = making.directory;
	return r;
}

static struct space *make_abstract(void)
{
	struct space *directory;

	must(make("abstract:" NAME, 0700, &root, &directory));
	return directory;
}

/* Opens `accept`, and holds the open, which waits for a client. */
static struct file *wait_client(struct space *directory, struct held *held)
{
	struct channel *channel = object_find(directory, "accept");
	struct file *file = object_open(channel, O_RDWR);

	channel_unref(channel);
	held_open(held, file);
	return file;
}

START_TEST(test_server_accepts_in_order_of_opens)
{
	struct space *directory = make_abstract();
	struct held held[3] = {0};
	struct file *files[3];
	int clients[3];

	for (int i = 0; i < 3; i++)
		files[i] = wait_client(directory, &held[i]);
	for (int i = 0; i < 3; i++) {
		clients[i] = native_connect(NAME);
		held_wait(&held[i]);
		held_expect_result(&held[i], 0);
		if (i < 2)
			ck_assert_uint_eq(held[i + 1].n, 0);
		native_put(clients[i], &"abc"[i], 1);
		file_expect(files[i], 10, (char[]){"abc"[i], 0});
	}
	for (int i = 0; i < 3; i++) {
		object_close(files[i]);
		close(clients[i]);
	}
	space_unref(directory);
}
END_TEST

START_TEST(test_server_accept_given_up_leaves_the_client_to_the_next)
{
	struct space *directory = make_abstract();
	struct held given_up = {0}, held = {0};
	struct file *first = wait_client(directory, &given_up);
	struct file *second = wait_client(directory, &held);
	int client;

	transfer_cancel(&given_up.transfer);
	object_close(first);
	client = native_connect(NAME);
	held_wait(&held);
	held_expect_result(&held, 0);
	object_close(second);
	close(client);
	space_unref(directory);
}
END_TEST

START_TEST(test_server_client_that_came_first_is_accepted_at_once)
{
	struct space *directory = make_abstract();
	int client = native_connect(NAME);
	struct channel *channel = object_find(directory, "accept");
	struct file *file;

	native_put(client, "hello", 5);
	must(socket_open(channel, O_RDWR | O_NONBLOCK, &root, &file));
	file_expect(file, 10, "hello");
	object_close(file);
	must_fail(socket_open(channel, O_RDWR | O_NONBLOCK, &root, &file), EAGAIN);
	channel_unref(channel);
	close(client);
	space_unref(directory);
}
END_TEST

START_TEST(test_server_removed_ends_those_who_wait)
{
	struct space *directory = make_abstract();
	struct held held = {0};
	struct file *file = wait_client(directory, &held), *other;
	struct channel *channel = object_find(directory, "accept");

	must(space_remove(space, "s", &root));
	held_wait(&held);
	held_expect_result(&held, -EINVAL);
	object_close(file);
	must_fail(socket_open(channel, O_RDWR, &root, &other), EINVAL);
	must_fail(object_lookup(directory, "connect", NULL), ENXIO);
	channel_unref(channel);
	space_unref(directory);
	/* The server's address is free again. */
	close(native_abstract(NAME, SOCK_STREAM));
}
END_TEST

START_TEST(test_server_connection_outlives_it)
{
	struct space *directory = make_abstract();
	struct held held = {0};
	struct file *file = wait_client(directory, &held);
	int client = native_connect(NAME);

	held_wait(&held);
	must(space_remove(space, "s", &root));
	space_unref(directory);
	native_put(client, "still", 5);
	socket_expect(file, "still");
	object_close(file);
	close(client);
}
END_TEST

static const char *const addresses[] = {
	"unix:" SOCKET_PATH, "abstract:" NAME, "tcp:127.0.0.1:0", "tcp:localhost:0", "tcp:*:0",
};

START_TEST(test_server_connects_to_itself)
{
	struct space *directory;
	struct channel *accept, *connect;
	struct file *server, *client;
	struct held held = {0};

	must(make(addresses[_i], 0700, &root, &directory));
	accept = object_find(directory, "accept");
	connect = object_find(directory, "connect");
	server = object_open(accept, O_RDWR);
	held_open(&held, server);
	must(socket_open(connect, O_RDWR, &root, &client));
	if (held.n == 0)
		held_wait(&held);
	file_put(client, "question");
	socket_expect(server, "question");
	file_put(server, "answer");
	socket_expect(client, "answer");
	object_close(client);
	object_close(server);
	channel_unref(accept);
	channel_unref(connect);
	space_unref(directory);
}
END_TEST

START_TEST(test_server_address_says_where)
{
	struct space *directory;
	struct channel *channel;
	struct file *file;
	const void *text;
	ssize_t n;

	must(make("tcp:127.0.0.1:0", 0700, &root, &directory));
	channel = object_find(directory, "address");
	file = object_open(channel, O_RDONLY);
	n = must(channel_read(file, 100, 0, &text));
	ck_assert_int_eq(strncmp(text, "tcp:127.0.0.1:", 14), 0);
	ck_assert_int_ne(((const char *)text)[14], '0'); /* the port that the kernel chose */
	ck_assert_int_eq(((const char *)text)[n - 1], '\n');
	object_close(file);
	channel_unref(channel);
	space_unref(directory);
}
END_TEST

START_TEST(test_server_files_are_for_whom_they_should_be)
{
	struct space *directory;
	struct channel *channel;
	struct stat attr;

	must(make("abstract:" NAME, 0755, &stranger, &directory));
	channel = object_find(directory, "accept");
	attr = object_stat(channel);
	ck_assert_uint_eq(attr.st_mode, S_IFREG | 0600);
	ck_assert_uint_eq(attr.st_uid, STRANGER);
	channel_unref(channel);
	channel = object_find(directory, "connect");
	ck_assert_uint_eq(object_stat(channel).st_mode, S_IFREG | 0644);
	channel_unref(channel);
	space_unref(directory);
	must_fail(space_remove(space, "s", &(struct caller){.uid = 1, .is_loaded = true}), EPERM);
	must(space_remove(space, "s", &stranger));
}
END_TEST

START_TEST(test_server_stranger_binds_only_where_it_may)
{
	struct space *directory;

	stranger.pid = peer_start(&(struct peer){.uid = STRANGER});
	must_call(mkdir("/dev/shm/d", 0700));
	must_fail(make("unix:/dev/shm/d/socket", 0700, &stranger, &directory), EACCES);
	must_fail(make("tcp:127.0.0.1:1", 0700, &stranger, &directory), EACCES);
	ck_assert_int_eq(space_count(space), 0);
	ck_assert_uint_eq(user_charged(&host.users, STRANGER, USER_CHANNELS), 0);
}
END_TEST

static int is_there(void *data)
{
	return access(SOCKET_PATH, F_OK) == 0 ? -EAGAIN : 0;
}

START_TEST(test_server_removed_takes_its_own_path_with_it)
{
	struct space *directory;
	struct stat attr;

	must(make("unix:" SOCKET_PATH, 0700, &root, &directory));
	space_unref(directory);
	must(space_remove(space, "s", &root));
	while (is_there(NULL))
		loop_settle();
	must(make("unix:" SOCKET_PATH, 0700, &root, &directory));
	space_unref(directory);
	must_call(unlink(SOCKET_PATH));
	must_call(mkdir(SOCKET_PATH, 0700)); /* the path is now someone else's */
	must(space_remove(space, "s", &root));
	host_stop(&host);
	must_call(stat(SOCKET_PATH, &attr));
}
END_TEST

/*
 * A thread removes the path. The filesystem that serves the path may keep that thread for ever, so
 * it counts against the user's limit.
 */
START_TEST(test_server_removed_takes_a_thread_of_its_user)
{
	struct space *directory;

	must(make("unix:" SOCKET_PATH, 0700, &root, &directory));
	space_unref(directory);
	must(space_remove(space, "s", &root));
	ck_assert_uint_eq(user_charged(&host.users, root.uid, USER_SLEEPS), 1);
	while (is_there(NULL))
		loop_settle();
	host_stop(&host);
	ck_assert_uint_eq(user_charged(&host.users, root.uid, USER_SLEEPS), 0);
}
END_TEST

START_TEST(test_server_removed_when_its_user_has_no_thread_leaves_the_path)
{
	struct space *directory;

	must(make("unix:" SOCKET_PATH, 0700, &root, &directory));
	space_unref(directory);
	host.users.limits[USER_SLEEPS] = 0;
	must(space_remove(space, "s", &root));
	host_stop(&host);
	ck_assert(is_there(NULL));
}
END_TEST

START_TEST(test_server_is_no_file_and_its_name_is_taken)
{
	struct channel *channel;
	struct space *directory = make_abstract(), *other;

	must_fail(make("abstract:other", 0700, &root, &other), EEXIST);
	must_fail(object_create(space, "file", S_IFREG | 0600, &root, &channel), EPERM);
	must_fail(object_lookup(directory, "absent", NULL), ENOENT);
	ck_assert_int_eq(space_count(directory), 3);
	space_unref(directory);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("server");

	suite_add(suite, "accept",
		  (const TTest *const[]){
			  test_server_accepts_in_order_of_opens,
			  test_server_accept_given_up_leaves_the_client_to_the_next,
			  test_server_client_that_came_first_is_accepted_at_once,
			  test_server_removed_ends_those_who_wait,
			  test_server_connection_outlives_it,
			  NULL,
		  });
	suite_add_loop(suite, "addresses",
		       (const TTest *const[]){test_server_connects_to_itself, NULL},
		       sizeof(addresses) / sizeof(addresses[0]));
	suite_add(suite, "names",
		  (const TTest *const[]){
			  test_server_address_says_where,
			  test_server_removed_takes_its_own_path_with_it,
			  test_server_removed_takes_a_thread_of_its_user,
			  test_server_removed_when_its_user_has_no_thread_leaves_the_path,
			  test_server_is_no_file_and_its_name_is_taken,
			  NULL,
		  });
	suite_add(suite, "rights",
		  (const TTest *const[]){
			  test_server_files_are_for_whom_they_should_be,
			  test_server_stranger_binds_only_where_it_may,
			  NULL,
		  });
	return suite_run(suite);
}
