// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Servers in the next daemon: they listen on, and no client is lost that waits to be accepted, or
 * that was accepted for an open that has not been answered.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/socket/server.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/peer.h"
#include "tests/unit/sockets.h"

#define NAME "ipcfs-adopt"

enum { LISTEN };

/* NULL: where servers are by default. */
static const char *const addresses[] = {
	"abstract:" NAME,
	"unix:" SOCKET_PATH,
	"tcp:127.0.0.1:0",
	NULL,
};
enum { ABSTRACT, UNIX, N_ADDRESSES = sizeof(addresses) / sizeof(addresses[0]) };

static struct space *space, *directory;

struct making {
	struct settings settings;
	struct caller *caller;
};

static int make_once(void *data)
{
	struct making *making = data;
	struct selector selector;
	struct entry entry;
	int r = space_create(space, "s", S_IFDIR | 0700, &making->settings, making->caller, &entry,
			     &selector);

	if (r == 0)
		directory = entry.space;
	return r;
}

/* Makes the server `s`, that listens at the address. */
static void make_for(const char *address, struct caller *caller)
{
	struct making making = {.caller = caller};

	if (address) {
		making.settings.given = 1U << LISTEN;
		making.settings.texts[LISTEN] = address;
	}
	must(loop_wait_for(caller, make_once, &making));
}

static void begin_for(const char *address, struct caller *caller)
{
	space = adopt_open(&server_kind);
	make_for(address, caller);
}

static void begin(int i)
{
	begin_for(addresses[i], &root);
}

static struct channel *server_channel(void)
{
	struct entry entry;

	must(space_find(space->shown, "s", &root, &entry));
	channel_unref(entry.channel); /* its name keeps it */
	return entry.channel;
}

/* Finds the server in the next daemon. */
static void restart(void)
{
	struct entry entry;

	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 0);
	space = adopted_space(&server_kind);
	must(space_find(space, "s", &root, &entry));
	directory = entry.space;
}

static struct file *open_end(const char *name)
{
	struct channel *channel = object_find(directory, name);
	struct file *file;

	must(socket_open(channel, O_RDWR, &root, &file));
	channel_unref(channel);
	return file;
}

static void expect_pair(struct file *accepted, struct file *client)
{
	file_put(client, "there");
	socket_expect(accepted, "there");
	file_put(accepted, "back");
	socket_expect(client, "back");
}

static int is_there(void)
{
	return access(SOCKET_PATH, F_OK) == 0;
}

START_TEST(test_adopt_servers_listen_on)
{
	struct file *client, *second;
	char status[512];

	begin(_i);
	strcpy(status, object_status(server_channel(), &root));
	client = open_end("connect"); /* it waits in the backlog */
	restart();
	ck_assert_str_eq(object_status(server_channel(), &root), status);
	client = adopted_file(client);
	second = open_end("accept");
	expect_pair(second, client);
	object_close(second);
	object_close(client);
	space_unref(directory);
	restart();
	client = open_end("connect");
	second = open_end("accept");
	expect_pair(second, client);
	restart();
	client = adopted_file(client);
	second = adopted_file(second);
	expect_pair(second, client);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 4);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_CHANNELS), 1);
	object_close(second);
	object_close(client);
	space_unref(directory);
	must(space_remove(space, "s", &root));
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 0);
	while (is_there())
		loop_settle();
}
END_TEST

START_TEST(test_adopt_servers_those_who_wait_to_accept_begin_again)
{
	static struct held held; /* the former daemon's file stays reachable */
	struct file *file;
	int client;

	begin(ABSTRACT);
	held_open(&held, object_open(object_find(directory, "accept"), O_RDWR));
	restart();
	client = native_connect(NAME);
	adopt_own(client);
	file = open_end("accept");
	native_put(client, "hello", 5);
	socket_expect(file, "hello");
	object_close(file);
	close(client);
	space_unref(directory);
}
END_TEST

static struct file *forgotten; /* a former daemon's, so that LeakSanitizer finds it */

/* Drops the record of an open that is not answered. */
static void forget(struct file *file)
{
	file->poll_data = forgotten;
	forgotten = file;
	slots_remove(&host.files, file->id);
}

/* Accepts a client for an open that is not answered: the next daemon has no handle of it. */
static void accept_and_die(int *ret_client)
{
	struct file *file;

	*ret_client = native_connect(NAME);
	adopt_own(*ret_client);
	host.journal->request = 5;
	file = object_open(object_find(directory, "accept"), O_RDWR);
	host.journal->request = 0;
	must(channel_opened(file));
	forget(file);
	adopt_again(5);
}

START_TEST(test_adopt_servers_client_of_an_unanswered_open_goes_to_the_next)
{
	struct file *file;
	int client, later;

	begin(ABSTRACT);
	accept_and_die(&client);
	if (_i > 0)
		restart();
	later = native_connect(NAME);
	adopt_own(later);
	restart();
	file = open_end("accept");
	native_put(client, "first", 5);
	socket_expect(file, "first");
	object_close(file);
	file = open_end("accept");
	native_put(later, "second", 6);
	socket_expect(file, "second");
	object_close(file);
	close(client);
	close(later);
	space_unref(directory);
}
END_TEST

/* The next open was given the client, but the server still has it, too. */
START_TEST(test_adopt_servers_client_is_given_once)
{
	struct connection *connection;
	struct file *file;
	struct held held = {0};
	struct channel *channel;
	int client;

	begin(ABSTRACT);
	accept_and_die(&client);
	restart();
	file = open_end("accept");
	connection = connection_from(file->channel);
	server_channel()->record->fds[2] = connection_fd(connection);
	forget(file);
	restart();
	file = open_end("accept");
	native_put(client, "hello", 5);
	socket_expect(file, "hello");
	channel = object_find(directory, "accept");
	held_open(&held, object_open(channel, O_RDWR));
	object_close(held.transfer.file);
	channel_unref(channel);
	object_close(file);
	close(client);
	space_unref(directory);
}
END_TEST

START_TEST(test_adopt_servers_not_complete_are_made_again)
{
	struct entry entry;

	begin(_i);
	server_channel()->record->words[0] = 0;
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 1);
	space = adopted_space(&server_kind);
	must_fail(space_find(space, "s", &root, &entry), ENOENT);
	make_for(addresses[_i], &root);
	space_unref(directory);
}
END_TEST

START_TEST(test_adopt_servers_without_a_name_end)
{
	struct entry entry;

	begin(UNIX);
	server_channel()->record->name[0] = '\0';
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 0);
	space = adopted_space(&server_kind);
	must_fail(space_find(space, "s", &root, &entry), ENOENT);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 0);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_CHANNELS), 0);
	while (is_there())
		loop_settle();
}
END_TEST

/* The path is in a directory where only this group can remove it. */
START_TEST(test_adopt_servers_keep_the_rights_of_their_maker)
{
	gid_t groups[] = {4321, 1234};
	struct caller maker = {.uid = STRANGER,
			       .gid = STRANGER,
			       .pid = peer_start(&(struct peer){.uid = STRANGER}),
			       .is_loaded = true,
			       .groups = _i ? groups : NULL,
			       .n_groups = _i ? 2 : 0};

	must_call(mkdir("/dev/shm/d", _i ? 0770 : 0777));
	must_call(chown("/dev/shm/d", 0, 1234));
	must_call(chmod("/dev/shm/d", _i ? 0770 : 0777));
	begin_for("unix:/dev/shm/d/socket", &maker);
	space_unref(directory);
	restart();
	must_call(chmod("/dev/shm/d", 0770));
	space_unref(directory);
	must(space_remove(space, "s", &maker));
	host_stop(&host);
	ck_assert_int_eq(access("/dev/shm/d/socket", F_OK), _i ? -1 : 0);
}
END_TEST

static void end_address(struct object_record *record, char *notes)
{
	memset(memmem(notes, record->words[1], "unix:", 5), 'x', LISTENER_ADDRESS_MAX);
}

static void cut_path(struct object_record *record, char *notes)
{
	notes[record->words[1] - 2] = '\0';
}

static void cut(struct object_record *record, char *notes)
{
	record->words[1] = 8;
}

static void swap(struct object_record *record, char *notes)
{
	int fd = record->fds[0];

	record->fds[0] = record->fds[1];
	record->fds[1] = fd;
}

static void drop_path(struct object_record *record, char *notes)
{
	close(record->fds[1]);
	record->fds[1] = -1;
}

static const struct damage {
	const char *what;
	void (*make)(struct object_record *record, char *notes);
} damages[] = {
	{"address without an end", end_address}, {"path with another end", cut_path},
	{"notes that are too short", cut},       {"one descriptor for the other", swap},
	{"no socket file", drop_path},
};
enum { N_DAMAGES = sizeof(damages) / sizeof(damages[0]) };

START_TEST(test_adopt_servers_damaged_are_lost)
{
	struct object_record *record;
	int fds[2];

	begin(UNIX);
	record = server_channel()->record;
	memcpy(fds, record->fds, sizeof(fds));
	damages[_i].make(record, (char *)server_from(server_channel())->notes);
	adopt_restart();
	ck_assert_msg(adopt_n_lost == 1, "%s", damages[_i].what);
	ck_assert_int_eq(adopt_error, -EPROTO);
	host_stop(&host);
	if (damages[_i].make == swap) {
		close(fds[0]);
		close(fds[1]);
	}
}
END_TEST

int main(void)
{
	const TTest *const each[] = {
		test_adopt_servers_listen_on,
		test_adopt_servers_not_complete_are_made_again,
		NULL,
	};
	const TTest *const twice[] = {
		test_adopt_servers_client_of_an_unanswered_open_goes_to_the_next,
		test_adopt_servers_keep_the_rights_of_their_maker,
		NULL,
	};
	const TTest *const tests[] = {
		test_adopt_servers_those_who_wait_to_accept_begin_again,
		test_adopt_servers_client_is_given_once,
		test_adopt_servers_without_a_name_end,
		NULL,
	};
	const TTest *const damaged[] = {test_adopt_servers_damaged_are_lost, NULL};
	Suite *suite = suite_create("adopt_servers");

	suite_add_loop(suite, "each", each, N_ADDRESSES);
	suite_add_loop(suite, "twice", twice, 2);
	suite_add(suite, "adopt_servers", tests);
	suite_add_loop(suite, "damaged", damaged, N_DAMAGES);
	return suite_run(suite);
}
