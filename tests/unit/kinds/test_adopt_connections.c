// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Connections in the next daemon: they go on, and what passed while the former daemon was killed is
 * neither lost nor doubled.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/socket/connections.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/sockets.h"

enum { READ = 7, WRITE = 8 }; /* requests */

static const struct sort {
	const struct kind *kind;
	int type;
} sorts[] = {
	{&abstract_kind, SOCK_STREAM}, {&abstract_kind, SOCK_SEQPACKET},
	{&abstract_kind, SOCK_DGRAM},  {&tcp_kind, SOCK_STREAM},
	{&udp_kind, SOCK_DGRAM},
};
enum { N_SORTS = sizeof(sorts) / sizeof(sorts[0]) };

/* A connection, and the native socket at its other end. */
static struct file *file;
static int other;

static struct channel *find_port(struct space *hosts, unsigned short port)
{
	struct entry host_entry, entry;
	char name[8];

	must(socket_find(hosts, "127.0.0.1", &root, &host_entry));
	sprintf(name, "%u", port);
	must(socket_find(host_entry.space, name, &root, &entry));
	space_unref(host_entry.space);
	return entry.channel;
}

static struct channel *find(const struct sort *sort, int *ret_listening)
{
	struct space *space = adopt_open(sort->kind);
	unsigned short port;
	struct entry entry;

	if (sort->kind == &abstract_kind) {
		*ret_listening = native_abstract("ipcfs-adopt", sort->type);
		must(socket_find(space, "ipcfs-adopt", &root, &entry));
		return entry.channel;
	}
	*ret_listening = native_inet(sort->type, &port);
	return find_port(space, port);
}

/* A datagram socket learns the other's address from what that sends first. */
static void answer_sender(int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	char data[8];

	file_put(file, "hello");
	must_call(recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&address, &size));
	must_call(connect(fd, (const struct sockaddr *)&address, size));
}

/* Opens a connection of sorts[i]. */
static void begin(int i)
{
	int listening;
	struct channel *channel = find(&sorts[i], &listening);

	must(socket_open(channel, O_RDWR, &root, &file));
	channel_unref(channel);
	if (sorts[i].type == SOCK_DGRAM) {
		other = listening;
		answer_sender(other);
	} else {
		other = native_accept(listening);
		close(listening);
	}
	adopt_own(other);
}

static void restart(void)
{
	adopt_restart();
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
}

static void end(void)
{
	object_close(file);
	close(other);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 0);
}

START_TEST(test_adopt_connections_go_on)
{
	struct stat before, after;
	char status[256];

	begin(_i);
	strcpy(status, object_status(file->channel, &root));
	file_put(file, "one");
	must(file_stat(file, &before));
	restart();
	must(file_stat(file, &after));
	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	ck_assert_int_eq(after.st_atim.tv_nsec, before.st_atim.tv_nsec);
	native_get(other, "one");
	ck_assert_str_eq(object_status(file->channel, &root), status);
	native_put(other, "two", 3);
	socket_expect(file, "two");
	restart();
	file_put(file, "three");
	native_get(other, "three");
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 1);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_FILES), 1);
	end();
}
END_TEST

START_TEST(test_adopt_connections_readers_are_woken)
{
	struct held held = {0};

	begin(_i);
	must_fail(file_try_read(file, 1), EAGAIN);
	restart();
	held_read(&held, file, 10);
	native_put(other, "late", 4);
	held_wait(&held);
	held_expect(&held, "late");
	end();
}
END_TEST

/* The former daemon begins to read, and is killed after the call to the kernel. */
static ssize_t read_and_die(uint64_t request)
{
	ssize_t n;

	host.journal->request = request;
	journal_read(file, request, JOURNAL_RECEIVE, 0, 100);
	n = file->channel->ops->read(file, host.scratch, 100, 0);
	adopt_again(request);
	restart();
	return n;
}

START_TEST(test_adopt_connections_received_and_not_told_is_given)
{
	begin(_i);
	native_put(other, "taken", 5);
	ck_assert_int_eq(read_and_die(READ), 5);
	native_put(other, "next", 4);
	socket_expect(file, "taken");
	socket_expect(file, "next");
	end();
}
END_TEST

START_TEST(test_adopt_connections_killed_before_it_received)
{
	begin(_i);
	host.journal->request = READ - 1;
	native_put(other, "old", 3);
	socket_expect(file, "old");
	native_put(other, "next", 4);
	journal_read(file, READ, JOURNAL_RECEIVE, 0, 100);
	adopt_again(READ);
	restart();
	socket_expect(file, "next");
	ck_assert_int_eq(read_and_die(READ + 1), -EAGAIN);
	must_fail(file_try_read(file, 10), EAGAIN);
	end();
}
END_TEST

START_TEST(test_adopt_connections_end_that_was_read_stays)
{
	begin(0);
	must_call(shutdown(other, SHUT_WR));
	ck_assert_int_eq(read_and_die(READ), 0);
	socket_expect(file, "");
	socket_expect(file, "");
	end();
}
END_TEST

START_TEST(test_adopt_connections_sent_and_not_told_is_done)
{
	bool is_message = sorts[_i].type != SOCK_STREAM;

	begin(_i);
	file_put(file, "first");
	native_get(other, "first");
	host.journal->request = WRITE;
	journal_write(file, 0);
	ck_assert_int_eq(file->channel->ops->write(file, "second", 6, 0), 6);
	adopt_again(WRITE);
	restart();
	native_get(other, "second");
	ck_assert_uint_eq(journal_done(&host, WRITE), is_message ? SIZE_MAX : 6);
	end();
}
END_TEST

START_TEST(test_adopt_connections_killed_before_it_sent)
{
	begin(_i);
	file_put(file, "first");
	native_get(other, "first");
	host.journal->request = WRITE;
	journal_write(file, 0);
	adopt_again(WRITE);
	restart();
	ck_assert_uint_eq(journal_done(&host, WRITE), 0);
	end();
}
END_TEST

/* Kills at each store that tally_send() makes. */
START_TEST(test_adopt_connections_count_what_was_sent)
{
	struct tally tally = {.send.msg_len = 3, .sent_before = 4};

	ck_assert_uint_eq(tally_sent(&tally), 7); /* the call is over */
	tally.sent = 7;
	ck_assert_uint_eq(tally_sent(&tally), 7);
	tally.send.msg_len = 0; /* the next begins */
	ck_assert_uint_eq(tally_sent(&tally), 7);
	tally.sent_before = 7;
	ck_assert_uint_eq(tally_sent(&tally), 7);
	tally.send.msg_len = 2;
	ck_assert_uint_eq(tally_sent(&tally), 9);
}
END_TEST

START_TEST(test_adopt_connections_last_writer_ends_the_stream)
{
	struct file *reader;

	begin(0);
	reader = object_open(file->channel, O_RDONLY);
	adopt_restart();
	file = adopted_file(file);
	reader = adopted_file(reader);
	object_close(file);
	native_get(other, "");
	native_put(other, "more", 4);
	socket_expect(reader, "more");
	file = reader;
	end();
}
END_TEST

START_TEST(test_adopt_connections_numbers_stay)
{
	struct space *space;
	struct channel *second;
	struct entry entry;
	struct file *file2;
	int listening = native_abstract("ipcfs-other", SOCK_STREAM);

	begin(0);
	adopt_own(listening);
	restart();
	space = adopted_space(&abstract_kind);
	must(space_find(space->shown, "ipcfs-adopt#1", &root, &entry));
	ck_assert_ptr_eq(entry.channel, file->channel);
	channel_unref(entry.channel);
	must(socket_find(space, "ipcfs-other", &root, &entry));
	second = entry.channel;
	must(socket_open(second, O_RDWR, &root, &file2));
	must(space_find(space->shown, "ipcfs-other#2", &root, &entry));
	channel_unref(entry.channel);
	object_close(file2);
	channel_unref(second);
	close(listening);
	end();
}
END_TEST

START_TEST(test_adopt_connections_closed_one_can_only_be_looked_up_again)
{
	struct channel *channel;
	struct file *again;

	begin(0);
	restart();
	channel = channel_ref(file->channel);
	object_close(file);
	must_fail(object_open_as(channel, O_RDWR, &root, &again), ESTALE);
	channel_unref(channel);
	close(other);
}
END_TEST

START_TEST(test_adopt_connections_not_made_yet_are_made_anew)
{
	int listening;
	struct channel *channel = find(&sorts[0], &listening);

	adopt_own(listening);
	file = object_open(channel, O_RDWR);
	must_fail(channel_opened(file), EAGAIN);
	adopt_restart();
	ck_assert_ptr_null(adopted_file(file));
	ck_assert_uint_eq(adopt_n_lost, 0);
	close(listening);
}
END_TEST

/* What is found in the record, and the error of which users are told; 0: of none. */
static const struct damage {
	const char *what;
	int error;
} damages[] = {
	{"closed", -ESTALE},        {"not noted", 0},       {"another's", -EPROTO},
	{"endless label", -EPROTO}, {"no number", -EPROTO}, {"no block", -EPROTO},
};
enum { N_DAMAGES = sizeof(damages) / sizeof(damages[0]) };

static void damage(int i, struct connection *connection)
{
	struct object_record *record = connection->channel.record;

	switch (i) {
	case 0:
		close(record->fds[0]);
		break;
	case 1:
		record->fds[0] = -1;
		break;
	case 2:
		record->fds[0] = other;
		break;
	case 3:
		memset(connection->notes->label, 'x', sizeof(connection->notes->label));
		break;
	case 4:
		connection->notes->number = 0;
		break;
	default:
		record->words[0] = UINT64_MAX / 3;
		break;
	}
}

START_TEST(test_adopt_connections_damaged_are_lost)
{
	begin(0);
	damage(_i, connection_from(file->channel));
	adopt_restart();
	ck_assert_msg(!adopted_file(file), "%s", damages[_i].what);
	ck_assert_int_eq(adopt_error, damages[_i].error);
	host_stop(&host);
	must_call(close(other));
}
END_TEST

int main(void)
{
	const TTest *const each[] = {
		test_adopt_connections_go_on,
		test_adopt_connections_readers_are_woken,
		test_adopt_connections_received_and_not_told_is_given,
		test_adopt_connections_killed_before_it_received,
		test_adopt_connections_sent_and_not_told_is_done,
		test_adopt_connections_killed_before_it_sent,
		NULL,
	};
	const TTest *const tests[] = {
		test_adopt_connections_end_that_was_read_stays,
		test_adopt_connections_count_what_was_sent,
		test_adopt_connections_last_writer_ends_the_stream,
		test_adopt_connections_numbers_stay,
		test_adopt_connections_closed_one_can_only_be_looked_up_again,
		test_adopt_connections_not_made_yet_are_made_anew,
		NULL,
	};
	const TTest *const damaged[] = {test_adopt_connections_damaged_are_lost, NULL};
	Suite *suite = suite_create("adopt_connections");

	suite_add_loop(suite, "each", each, N_SORTS);
	suite_add(suite, "adopt_connections", tests);
	suite_add_loop(suite, "damaged", damaged, N_DAMAGES);
	return suite_run(suite);
}
