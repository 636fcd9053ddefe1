/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Servers under load: many clients at the same time, half of them native and half through the
 * mount, and many in a row. Each gets its own answer, and nothing stays behind.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define SERVER  "sockets/servers/s"
#define ACCEPT  SERVER "/accept"
#define CONNECT SERVER "/connect"
#define SOCKET  "/run/ipcfs/s"

enum { N_CLIENTS = 200, N_ROUNDS = 10000 };

static void setup(void)
{
	fixture_setup();
	must(mount("tmpfs", "/run", "tmpfs", 0, "mode=0755"));
}

static void teardown(void)
{
	if (access(ipc_path(SERVER), F_OK) == 0)
		must(rmdir(ipc_path(SERVER)));
	fixture_teardown();
}

/* One client of many: sends its number and expects it back. */
static int client_run(void *number)
{
	int sent = (int)(long)number, heard = -1;
	int fd = sent % 2 ? open(ipc_path(CONNECT), O_RDWR | O_CLOEXEC)
			  : socket_connect(SOCKET, SOCK_STREAM);

	if (fd < 0 || write(fd, &sent, sizeof(sent)) != sizeof(sent) ||
	    read(fd, &heard, sizeof(heard)) != sizeof(heard))
		return errno ? errno : 99;
	return heard != sent;
}

static void serve_one(void)
{
	int number;
	int fd = channel_open(ACCEPT, O_RDWR);

	ck_assert_int_eq(must(read(fd, &number, sizeof(number))), sizeof(number));
	ck_assert_int_eq(must(write(fd, &number, sizeof(number))), sizeof(number));
	must(close(fd));
}

START_TEST(test_servers_200_clients_at_once)
{
	static pid_t pids[N_CLIENTS];

	must(mkdir(ipc_path(SERVER), 0755));
	for (long i = 0; i < N_CLIENTS; i++)
		pids[i] = child_start(client_run, (void *)i);
	for (int i = 0; i < N_CLIENTS; i++)
		serve_one();
	for (int i = 0; i < N_CLIENTS; i++)
		ck_assert_int_eq(child_end(pids[i]), 0);
}
END_TEST

static int connects_run(void *arg)
{
	int number = 7, heard;

	(void)arg;
	for (int i = 0; i < N_ROUNDS; i++) {
		int fd = open(ipc_path(CONNECT), O_RDWR | O_CLOEXEC);

		if (fd < 0 || write(fd, &number, sizeof(number)) < 0 ||
		    read(fd, &heard, sizeof(heard)) != sizeof(heard) || close(fd) < 0)
			return errno ? errno : 99;
	}
	return 0;
}

START_TEST(test_servers_10000_connects_leak_nothing)
{
	int before;
	pid_t pid;

	must(mkdir(ipc_path(SERVER), 0755));
	pid = child_start(client_run, (void *)1);
	serve_one();
	ck_assert_int_eq(child_end(pid), 0);
	before = mount_descriptors(&ipc);
	pid = child_start(connects_run, NULL);
	for (int i = 0; i < N_ROUNDS; i++)
		serve_one();
	ck_assert_int_eq(child_end(pid), 0);
	for (int i = 0; i < 100 && mount_descriptors(&ipc) > before; i++)
		mount_settle(&ipc);
	ck_assert_int_le(mount_descriptors(&ipc), before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("servers_load");
	TCase *tcase = tcase_create("load");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_servers_200_clients_at_once);
	tcase_add_test(tcase, test_servers_10000_connects_leak_nothing);
	return suite_run(suite);
}
