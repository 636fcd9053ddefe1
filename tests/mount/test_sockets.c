/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients: an open in sockets/ connects to a native socket, of any family and type. Reads return
 * what the other end sent, and the other end receives what is written.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const int connected_types[] = {SOCK_STREAM, SOCK_SEQPACKET};

/* Sends both ways between `fd`, in the mount, and `peer`; then the peer leaves. */
static void must_talk(int fd, int peer)
{
	char byte;

	ck_assert_int_eq(must(write(fd, "to you", 6)), 6);
	must_read(peer, "to you");
	ck_assert_int_eq(must(write(peer, "to me", 5)), 5);
	must_read(fd, "to me");
	must(close(peer));
	ck_assert_int_eq(must(read(fd, &byte, 1)), 0);
	must(close(fd));
}

START_TEST(test_sockets_unix_connected_types_work)
{
	int listener = socket_unix(scratch_path("s"), connected_types[_i], 5);
	int fd = channel_open(unix_name("s"), O_RDWR);

	must_talk(fd, socket_accept(listener));
}
END_TEST

START_TEST(test_sockets_abstract_connected_types_work)
{
	int listener = socket_unix("@ipcfs-test-abstract", connected_types[_i], 5);
	int fd = channel_open("sockets/abstract/ipcfs-test-abstract", O_RDWR);

	must_talk(fd, socket_accept(listener));
}
END_TEST

struct host {
	int family;
	const char *name;
};

static const struct host hosts[] = {
	{AF_INET, "127.0.0.1"}, {AF_INET, "localhost"}, {AF_INET6, "::1"}};

START_TEST(test_sockets_tcp_by_number_and_name_works)
{
	int port;
	int listener = socket_inet(hosts[_i].family, SOCK_STREAM, 5, &port);
	int fd = channel_open(inet_name("tcp", hosts[_i].name, port), O_RDWR);

	must_talk(fd, socket_accept(listener));
}
END_TEST

/* The family of a name's first address, which datagrams go to: /etc/hosts may say either. */
static int first_family(const char *name)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
	struct addrinfo *found;
	int family;

	ck_assert_int_eq(getaddrinfo(name, "9", &hints, &found), 0);
	family = found->ai_family;
	freeaddrinfo(found);
	return family;
}

START_TEST(test_sockets_udp_both_ways)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	char buf[16];
	int port;
	int peer = socket_inet(first_family(hosts[_i].name), SOCK_DGRAM, 0, &port);
	int fd = channel_open(inet_name("udp", hosts[_i].name, port), O_RDWR);

	ck_assert_int_eq(must(write(fd, "ping", 4)), 4);
	ck_assert_int_eq(must(recvfrom(peer, buf, sizeof(buf), 0, (void *)&from, &size)), 4);
	ck_assert_mem_eq(buf, "ping", 4);
	ck_assert_int_eq(must(sendto(peer, "pong", 4, 0, (void *)&from, size)), 4);
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 4);
	ck_assert_mem_eq(buf, "pong", 4);
}
END_TEST

/* A datagram socket, and the open file that is connected to it. */
struct datagrams {
	int peer, fd;
	struct sockaddr_un from;
	socklen_t from_size;
};

static void datagrams_start(struct datagrams *datagrams)
{
	char buf[16];

	datagrams->peer = socket_unix(scratch_path("d"), SOCK_DGRAM, 0);
	datagrams->fd = channel_open(unix_name("d"), O_RDWR);
	datagrams->from_size = sizeof(datagrams->from);
	ck_assert_int_eq(must(write(datagrams->fd, "hello", 5)), 5);
	ck_assert_int_eq(must(recvfrom(datagrams->peer, buf, sizeof(buf), 0,
				       (void *)&datagrams->from, &datagrams->from_size)),
			 5);
	ck_assert_mem_eq(buf, "hello", 5);
}

static void datagrams_send(struct datagrams *datagrams, const void *data, size_t size)
{
	ck_assert_int_eq(must(sendto(datagrams->peer, data, size, 0, (void *)&datagrams->from,
				     datagrams->from_size)),
			 size);
}

START_TEST(test_sockets_datagrams_keep_boundaries)
{
	struct datagrams datagrams;
	char buf[64];

	datagrams_start(&datagrams);
	datagrams_send(&datagrams, "one", 3);
	datagrams_send(&datagrams, "three", 5);
	ck_assert_int_eq(must(read(datagrams.fd, buf, sizeof(buf))), 3);
	ck_assert_mem_eq(buf, "one", 3);
	ck_assert_int_eq(must(read(datagrams.fd, buf, sizeof(buf))), 5);
	ck_assert_mem_eq(buf, "three", 5);
	must(write(datagrams.fd, "a", 1));
	must(write(datagrams.fd, "bc", 2));
	ck_assert_int_eq(socket_take(datagrams.peer, buf, sizeof(buf)), 1);
	ck_assert_int_eq(socket_take(datagrams.peer, buf, sizeof(buf)), 2);
}
END_TEST

START_TEST(test_sockets_datagram_short_reads_give_remainder)
{
	struct datagrams datagrams;
	char buf[64];

	datagrams_start(&datagrams);
	datagrams_send(&datagrams, "abcdefg", 7);
	datagrams_send(&datagrams, "next", 4);
	ck_assert_int_eq(must(read(datagrams.fd, buf, 3)), 3);
	ck_assert_mem_eq(buf, "abc", 3);
	ck_assert_int_eq(must(read(datagrams.fd, buf, 1)), 1);
	ck_assert_mem_eq(buf, "d", 1);
	ck_assert_int_eq(must(read(datagrams.fd, buf, sizeof(buf))), 3);
	ck_assert_mem_eq(buf, "efg", 3);
	ck_assert_int_eq(must(read(datagrams.fd, buf, sizeof(buf))), 4);
	ck_assert_mem_eq(buf, "next", 4);
}
END_TEST

START_TEST(test_sockets_datagram_of_200000_bytes_arrives_whole)
{
	static char sent[200000], received[sizeof(sent) + 1];
	struct datagrams datagrams;

	for (size_t i = 0; i < sizeof(sent); i++)
		sent[i] = (char)(i * 7);
	datagrams_start(&datagrams);
	datagrams_send(&datagrams, sent, sizeof(sent));
	ck_assert_int_eq(must(read(datagrams.fd, received, sizeof(received))), sizeof(sent));
	ck_assert(!memcmp(sent, received, sizeof(sent)));
}
END_TEST

START_TEST(test_sockets_datagram_too_long_emsgsize)
{
	static char data[4 << 20];
	struct datagrams datagrams;
	char buf[16];

	datagrams_start(&datagrams);
	must_fail(write(datagrams.fd, data, sizeof(data)), EMSGSIZE);
	must_fail(write(datagrams.fd, data, 1000000), EMSGSIZE);
	must(write(datagrams.fd, "ok", 2));
	ck_assert_int_eq(socket_take(datagrams.peer, buf, sizeof(buf)), 2);
}
END_TEST

START_TEST(test_sockets_datagram_empty_reads_as_nothing_and_others_follow)
{
	struct datagrams datagrams;
	char buf[16];

	datagrams_start(&datagrams);
	datagrams_send(&datagrams, "", 0);
	datagrams_send(&datagrams, "full", 4);
	ck_assert_int_eq(must(read(datagrams.fd, buf, sizeof(buf))), 0);
	ck_assert_int_eq(must(read(datagrams.fd, buf, sizeof(buf))), 4);
	ck_assert_mem_eq(buf, "full", 4);
}
END_TEST

START_TEST(test_sockets_seqpacket_keeps_boundaries_and_remainder)
{
	int listener = socket_unix(scratch_path("q"), SOCK_SEQPACKET, 5);
	int fd = channel_open(unix_name("q"), O_RDWR);
	int peer = socket_accept(listener);
	char buf[16];

	must(send(peer, "first", 5, 0));
	must(send(peer, "second", 6, 0));
	ck_assert_int_eq(must(read(fd, buf, 2)), 2);
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 3);
	ck_assert_mem_eq(buf, "rst", 3);
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 6);
	must(write(fd, "x", 1));
	must(write(fd, "yz", 2));
	ck_assert_int_eq(socket_take(peer, buf, sizeof(buf)), 1);
	ck_assert_int_eq(socket_take(peer, buf, sizeof(buf)), 2);
}
END_TEST

START_TEST(test_sockets_peer_gone_write_epipe_no_signal)
{
	int listener = socket_unix(scratch_path("s"), SOCK_STREAM, 5);
	int fd = channel_open(unix_name("s"), O_RDWR);

	must(close(socket_accept(listener)));
	signal(SIGPIPE, SIG_DFL);
	must_fail(write(fd, "x", 1), EPIPE);
}
END_TEST

START_TEST(test_sockets_peer_gone_with_data_unread_econnreset)
{
	int listener = socket_unix(scratch_path("s"), SOCK_STREAM, 5);
	int fd = channel_open(unix_name("s"), O_RDWR);
	char byte;

	must(write(fd, "unread", 6));
	must(close(socket_accept(listener)));
	must_fail(read(fd, &byte, 1), ECONNRESET);
}
END_TEST

START_TEST(test_sockets_tcp_reset_econnreset)
{
	const struct linger reset = {.l_onoff = 1};
	struct pollfd ready = {.events = POLLIN};
	int port, listener = socket_inet(AF_INET, SOCK_STREAM, 5, &port);
	int fd = channel_open(inet_name("tcp", "127.0.0.1", port), O_RDWR);
	int peer = socket_accept(listener);
	char byte;

	must(setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)));
	must(close(peer));
	ready.fd = fd;
	ck_assert_int_eq(must(poll(&ready, 1, 5000)), 1);
	must_fail(read(fd, &byte, 1), ECONNRESET);
}
END_TEST

/* As in a shell: exec 3<>...; exec 4</dev/fd/3; exec 3>&- */
START_TEST(test_sockets_reopened_for_reading_peer_sees_end)
{
	int port, listener = _i ? socket_inet(AF_INET, SOCK_STREAM, 5, &port)
				: socket_unix(scratch_path("s"), SOCK_STREAM, 5);
	int fd = channel_open(_i ? inet_name("tcp", "127.0.0.1", port) : unix_name("s"), O_RDWR);
	int peer = socket_accept(listener), reader;
	char path[32], buf[16];

	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	reader = (int)must(open(path, O_RDONLY | O_CLOEXEC));
	must(write(fd, "request", 7));
	must(close(fd));
	must_read(peer, "request");
	ck_assert_int_eq(must(socket_take(peer, buf, sizeof(buf))), 0);
	must(write(peer, "answer", 6));
	must_read(reader, "answer");
	must(close(peer));
	ck_assert_int_eq(must(read(reader, buf, sizeof(buf))), 0);
}
END_TEST

START_TEST(test_sockets_nobody_there_errors_of_connect)
{
	int port, listener = socket_inet(AF_INET, SOCK_STREAM, 5, &port);

	must(close(listener));
	must(close(socket_unix(scratch_path("dead"), SOCK_STREAM, 5)));
	must_fail(open(ipc_path(unix_name("dead")), O_RDWR), ECONNREFUSED);
	must_fail(open(ipc_path(unix_name("none")), O_RDWR), ENOENT);
	must_fail(open(ipc_path("sockets/abstract/ipcfs-test-none"), O_RDWR), ENOENT);
	must_fail(open(ipc_path(inet_name("tcp", "127.0.0.1", port)), O_RDWR), ECONNREFUSED);
	must_fail(open(ipc_path("sockets/tcp/127.0.0.1/70000"), O_RDWR), ENOENT);
	must_fail(open(ipc_path("sockets/tcp/127.0.0.1/no-such-service"), O_RDWR), ENOENT);
	must_fail(open(ipc_path(unix_name("none")), O_RDWR | O_CREAT, 0600), ENOENT);
	must_fail(unlink(ipc_path(unix_name("dead"))), EPERM);
}
END_TEST

START_TEST(test_sockets_only_directories_and_sockets_are_shown)
{
	must(close(socket_unix(scratch_path("s"), SOCK_STREAM, 5)));
	must(mkdir(scratch_path("dir"), 0700));
	must(close(open(scratch_path("file"), O_CREAT | O_WRONLY, 0600)));
	must(symlink("s", scratch_path("link")));
	must(symlink("file", scratch_path("file-link")));
	ck_assert(channel_is_listed(unix_name(""), "s"));
	ck_assert(channel_is_listed(unix_name(""), "dir"));
	ck_assert(channel_is_listed(unix_name(""), "link"));
	ck_assert(!channel_is_listed(unix_name(""), "file"));
	ck_assert(!channel_is_listed(unix_name(""), "file-link"));
	must_fail(access(ipc_path(unix_name("file")), F_OK), ENOENT);
}
END_TEST

/* The abstract name has 107 bytes. All but the first are shown as three characters each. */
START_TEST(test_sockets_abstract_name_too_long_to_show_is_not_listed)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0x"};
	int fd = (int)must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	struct dirent *entry;
	bool is_listed = false;
	struct stat attr;
	DIR *dir;

	must(bind(fd, (struct sockaddr *)&address, sizeof(address)));
	must(listen(fd, 5));
	socket_unix("@ipcfs-test-short", SOCK_STREAM, 5);
	dir = opendir(ipc_path("sockets/abstract"));
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		ck_assert_uint_le(strlen(entry->d_name), NAME_MAX);
		/* The sockets of other programs come and go. */
		if (fstatat(dirfd(dir), entry->d_name, &attr, 0) < 0)
			ck_assert_int_eq(errno, ENOENT);
		is_listed |= !strcmp(entry->d_name, "ipcfs-test-short");
	}
	closedir(dir);
	ck_assert(is_listed);
	must(close(fd));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sockets");
	TCase *tcase = suite_case(suite, "sockets", 20);

	tcase_add_loop_test(tcase, test_sockets_unix_connected_types_work, 0, 2);
	tcase_add_loop_test(tcase, test_sockets_abstract_connected_types_work, 0, 2);
	tcase_add_loop_test(tcase, test_sockets_tcp_by_number_and_name_works, 0, 3);
	tcase_add_loop_test(tcase, test_sockets_udp_both_ways, 0, 3);
	tcase_add_test(tcase, test_sockets_datagrams_keep_boundaries);
	tcase_add_test(tcase, test_sockets_datagram_short_reads_give_remainder);
	tcase_add_test(tcase, test_sockets_datagram_of_200000_bytes_arrives_whole);
	tcase_add_test(tcase, test_sockets_datagram_too_long_emsgsize);
	tcase_add_test(tcase, test_sockets_datagram_empty_reads_as_nothing_and_others_follow);
	tcase_add_test(tcase, test_sockets_seqpacket_keeps_boundaries_and_remainder);
	tcase_add_test(tcase, test_sockets_peer_gone_write_epipe_no_signal);
	tcase_add_test(tcase, test_sockets_peer_gone_with_data_unread_econnreset);
	tcase_add_test(tcase, test_sockets_tcp_reset_econnreset);
	tcase_add_loop_test(tcase, test_sockets_reopened_for_reading_peer_sees_end, 0, 2);
	tcase_add_test(tcase, test_sockets_nobody_there_errors_of_connect);
	tcase_add_test(tcase, test_sockets_only_directories_and_sockets_are_shown);
	tcase_add_test(tcase, test_sockets_abstract_name_too_long_to_show_is_not_listed);
	return suite_run(suite);
}
