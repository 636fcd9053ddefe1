// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Listening sockets, made from the text of an address, and what can get in their way.
 */
#include "lib/kinds/socket/listener.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/fixture.h"
#include "tests/unit/sockets.h"

static struct listener *new_listener(const char *address)
{
	static struct listener listener;

	listener = (struct listener){.type = SOCK_STREAM, .backlog = 8, .mode = 0700};
	strcpy(listener.address, address);
	return &listener;
}

static int try_listen(const char *address)
{
	struct listener *listener = new_listener(address);
	int r = listener_open(listener);

	if (r == 0)
		listener_close(listener);
	return r;
}

START_TEST(test_listener_bad_address_einval)
{
	static const char *const bad[] = {"unix:",
					  "unix:relative",
					  "abstract:",
					  "tcp:80",
					  "tcp:",
					  "tcp:127.0.0.1:",
					  "tcp:127.0.0.1:x",
					  "tcp:a.b.c:1",
					  "tcp:127.0.0.1:65536",
					  "udp:127.0.0.1:1",
					  "x",
					  ":"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		must_fail(try_listen(bad[i]), EINVAL);
}
END_TEST

START_TEST(test_listener_good_address_listens)
{
	static const char path[] = "unix:" SOCKET_PATH;
	const char *const good[] = {
		path,      "abstract:ipcfs-test", "tcp:127.0.0.1:0", "tcp:localhost:0",
		"tcp:*:0", "tcp:[::1]:0"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		must(try_listen(good[i]));
}
END_TEST

START_TEST(test_listener_stale_socket_is_replaced)
{
	int stale = native_unix(SOCK_STREAM);
	struct listener *listener = new_listener("unix:" SOCKET_PATH);

	must_fail(listener_open(listener), EADDRINUSE);
	close(stale);
	listener = new_listener("unix:" SOCKET_PATH);
	must(listener_open(listener));
	close(native_connect_path());
	listener_close(listener);
	ck_assert_int_eq(access(SOCKET_PATH, F_OK), -1);
}
END_TEST

START_TEST(test_listener_file_that_is_no_socket_is_not_replaced)
{
	struct stat attr;

	close((int)must_call(open(SOCKET_PATH, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)));
	must_fail(try_listen("unix:" SOCKET_PATH), EADDRINUSE);
	must_call(stat(SOCKET_PATH, &attr));
	ck_assert(S_ISREG(attr.st_mode));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("listener");

	suite_add(suite, "addresses",
		  (const TTest *const[]){
			  test_listener_bad_address_einval,
			  test_listener_good_address_listens,
			  test_listener_stale_socket_is_replaced,
			  test_listener_file_that_is_no_socket_is_not_replaced,
			  NULL,
		  });
	return suite_run(suite);
}
