// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The names of sockets/tcp, sockets/udp and sockets/abstract: what can be opened, and what `ls`
 * shows.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/channel.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"
#include "tests/unit/sockets.h"

static int lookup(struct space *space, const char *name, const char *port)
{
	struct entry entry;
	int r = socket_find(space, name, &root, &entry);

	if (r == 0) {
		r = object_lookup(entry.space, port, NULL);
		entry_unref(&entry);
	}
	return r;
}

START_TEST(test_inet_any_host_and_port_is_there)
{
	struct space *space = fixture_open(&tcp_kind);

	must(lookup(space, "localhost", "1"));
	must(lookup(space, "127.0.0.1", "65535"));
	must(lookup(space, "::1", "80"));
	must(lookup(space, "fe80::1%lo", "80"));
	must(lookup(space, "some-host.example", "http"));
}
END_TEST

/* Looking up a service name may ask the network. Other callers must not wait for that. */
START_TEST(test_inet_service_is_looked_for_on_a_thread)
{
	struct space *space = fixture_open(&tcp_kind);
	struct entry entry, port;

	host.is_serving = true;
	must(socket_find(space, "localhost", &root, &entry));
	must(object_lookup(entry.space, "80", NULL));
	must_fail(object_lookup(entry.space, "http", NULL), EAGAIN);
	must(socket_find(entry.space, "http", &root, &port));
	entry_unref(&port);
	must(socket_find(entry.space, "http", &stranger, &port));
	entry_unref(&port);
	must_fail(socket_find(entry.space, "no-such-service", &stranger, &port), ENOENT);
	entry_unref(&entry);
}
END_TEST

START_TEST(test_inet_what_can_be_no_host_or_port_is_not)
{
	struct space *space = fixture_open(&tcp_kind);
	static const char *const ports[] = {"0", "65536", "-1", "80 ", "no-such-service", "80/tcp"};

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
		must_fail(lookup(space, "localhost", ports[i]), ENOENT);
	must_fail(lookup(space, "a host", "80"), ENOENT);
	must_fail(lookup(space, "*", "80"), ENOENT);
}
END_TEST

START_TEST(test_inet_lists_who_listens)
{
	struct space *space = fixture_open(_i ? &udp_kind : &tcp_kind);
	unsigned short number;
	CLEANUP_FD int fd = native_inet(_i ? SOCK_DGRAM : SOCK_STREAM, &number);
	static const char *const hosts[] = {"127.0.0.1", "localhost"};
	struct entry entry;
	char port[8];
	mode_t mode;
	ino_t ino;

	sprintf(port, "%u", number);
	ck_assert_int_eq(space_list_find(space, "127.0.0.1", &ino, &mode), 1);
	ck_assert_uint_eq(mode, S_IFDIR);
	for (size_t i = 0; i < 2; i++) {
		must(socket_find(space, hosts[i], &root, &entry));
		ck_assert_int_eq(space_list_find(entry.space, port, &ino, &mode), 1);
		ck_assert_uint_eq(mode, S_IFREG);
		entry_unref(&entry);
	}
	must(socket_find(space, "192.0.2.1", &root, &entry));
	ck_assert_int_eq(space_list_find(entry.space, port, &ino, &mode), 0);
	entry_unref(&entry);
}
END_TEST

START_TEST(test_inet_abstract_lists_and_finds_who_listens)
{
	struct space *space = fixture_open(&abstract_kind);
	CLEANUP_FD int fd = native_abstract("ipcfs/test 1", SOCK_STREAM);
	mode_t mode;
	ino_t ino;

	ck_assert_int_eq(space_list_find(space, "ipcfs%2Ftest%201", &ino, &mode), 1);
	must(object_lookup(space, "ipcfs%2Ftest%201", NULL));
	must_fail(object_lookup(space, "ipcfs%2Ftest", NULL), ENOENT);
	must_fail(object_lookup(space, "%zz", NULL), ENOENT);
	close(TAKE_FD(fd));
	ck_assert_int_eq(space_list_find(space, "ipcfs%2Ftest%201", &ino, &mode), 0);
	must_fail(object_lookup(space, "ipcfs%2Ftest%201", NULL), ENOENT);
}
END_TEST

/*
 * A client has a name that the kernel gave it. Nobody connects to that name, so it is not listed.
 */
START_TEST(test_inet_abstract_lists_no_clients)
{
	struct space *space = fixture_open(&abstract_kind);
	CLEANUP_FD int fd = (int)must_call(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	const struct sockaddr none = {.sa_family = AF_UNIX};
	int before = space_count(space);

	must_call(bind(fd, &none, sizeof(none.sa_family)));
	ck_assert_int_eq(space_count(space), before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("inet");

	suite_add(suite, "names",
		  (const TTest *const[]){
			  test_inet_any_host_and_port_is_there,
			  test_inet_service_is_looked_for_on_a_thread,
			  test_inet_what_can_be_no_host_or_port_is_not,
			  test_inet_abstract_lists_and_finds_who_listens,
			  test_inet_abstract_lists_no_clients,
			  NULL,
		  });
	suite_add_loop(suite, "protocols",
		       (const TTest *const[]){test_inet_lists_who_listens, NULL}, 2);
	return suite_run(suite);
}
