/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Servers: what mkdir in sockets/servers makes, and what a server's files accept and connect do
 * with native programs and with each other.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER  "sockets/servers/s"
#define ACCEPT  SERVER "/accept"
#define CONNECT SERVER "/connect"
#define SOCKET  "/run/ipcfs/s"

enum { OTHER = 65534 };

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

static int open_run(void *name)
{
	return open(ipc_path(name), O_RDWR | O_CLOEXEC) < 0 ? errno : 0;
}

START_TEST(test_servers_native_client_both_ways)
{
	int client, fd;
	char byte;

	must(mkdir(ipc_path(SERVER), 0755));
	client = socket_connect(SOCKET, SOCK_STREAM);
	fd = channel_open(ACCEPT, O_RDWR);
	must(write(client, "question", 8));
	must_read(fd, "question");
	must(write(fd, "answer", 6));
	must_read(client, "answer");
	must(close(fd));
	ck_assert_int_eq(must(read(client, &byte, 1)), 0);
}
END_TEST

START_TEST(test_servers_client_of_mount_both_ways)
{
	int client, fd;
	char byte;

	must(mkdir(ipc_path(SERVER), 0755));
	client = channel_open(CONNECT, O_RDWR);
	fd = channel_open(ACCEPT, O_RDWR);
	must(write(client, "question", 8));
	must_read(fd, "question");
	must(write(fd, "answer", 6));
	must_read(client, "answer");
	must(close(client));
	ck_assert_int_eq(must(read(fd, &byte, 1)), 0);
}
END_TEST

START_TEST(test_servers_directory_has_three_files)
{
	char text[128];
	struct stat st;
	ssize_t n;

	must(mkdir(ipc_path(SERVER), 0755));
	ck_assert(channel_is_listed(SERVER, "accept"));
	ck_assert(channel_is_listed(SERVER, "connect"));
	ck_assert(channel_is_listed(SERVER, "address"));
	n = must(read(channel_open(SERVER "/address", O_RDONLY), text, sizeof(text)));
	ck_assert_int_eq(n, strlen("unix:" SOCKET "\n"));
	ck_assert_mem_eq(text, "unix:" SOCKET "\n", n);
	must(stat(ipc_path(SERVER), &st));
	ck_assert_uint_eq(st.st_mode, S_IFDIR | 0755);
	must_fail(mkdir(ipc_path(SERVER), 0755), EEXIST);
	must_fail(open(ipc_path(SERVER "/other"), O_RDWR | O_CREAT, 0600), EPERM);
}
END_TEST

static int make_run(void *arg)
{
	(void)arg;
	umask(027);
	return mkdir(ipc_path(SERVER), 0777) < 0 ? errno : 0;
}

static int remove_run(void *arg)
{
	(void)arg;
	return rmdir(ipc_path(SERVER)) < 0 ? errno : 0;
}

START_TEST(test_servers_belong_to_maker)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	struct stat st;
	int client;

	child_must_as(OTHER, make_run, NULL);
	must(stat(SOCKET, &st));
	ck_assert_uint_eq(st.st_uid, OTHER);
	ck_assert_uint_eq(st.st_gid, OTHER);
	ck_assert_uint_eq(st.st_mode, S_IFSOCK | 0750);
	client = socket_connect(SOCKET, SOCK_STREAM);
	must(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size));
	ck_assert_uint_eq(peer.uid, OTHER);
	ck_assert_int_eq(child_code_as(1234, remove_run, NULL), EPERM);
	child_must_as(OTHER, remove_run, NULL);
	must_fail(stat(SOCKET, &st), ENOENT);
}
END_TEST

START_TEST(test_servers_other_user_cannot_accept)
{
	must(mkdir(ipc_path(SERVER), 0777));
	must(chmod(ipc_path(SERVER), 0777));
	ck_assert_int_eq(child_code_as(OTHER, open_run, (void *)ACCEPT), EACCES);
	ck_assert_int_eq(child_code_as(OTHER, open_run, (void *)CONNECT), 0);
	must(chmod(ipc_path(SERVER), 0755));
	ck_assert_int_eq(child_code_as(OTHER, open_run, (void *)CONNECT), EACCES);
	must(chmod(ipc_path(SERVER), 0700));
	ck_assert_int_eq(child_code_as(OTHER, open_run, (void *)CONNECT), EACCES);
}
END_TEST

START_TEST(test_servers_chmod_reaches_socket)
{
	struct stat st;

	must(mkdir(ipc_path(SERVER), 0700));
	must(stat(SOCKET, &st));
	ck_assert_uint_eq(st.st_mode, S_IFSOCK | 0700);
	must(chmod(ipc_path(SERVER), 0770));
	must(chown(ipc_path(SERVER), OTHER, 1234));
	must(stat(SOCKET, &st));
	ck_assert_uint_eq(st.st_mode, S_IFSOCK | 0770);
	ck_assert_uint_eq(st.st_uid, OTHER);
	ck_assert_uint_eq(st.st_gid, 1234);
}
END_TEST

/* Whether the open of `accept` with that number waits. */
static bool is_accepting(void *number)
{
	char name[64];

	snprintf(name, sizeof(name), "info/" SERVER ":accept#%d", *(int *)number);
	return access(ipc_path(name), F_OK) == 0;
}

START_TEST(test_servers_rmdir_ends_waiting_accepts)
{
	pid_t pids[3];
	int number;

	must(mkdir(ipc_path(SERVER), 0755));
	for (int i = 0; i < 3; i++) {
		pids[i] = child_start(open_run, (void *)ACCEPT);
		number = i + 1;
		ck_assert(wait_until(is_accepting, &number, 5000));
	}
	must(rmdir(ipc_path(SERVER)));
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(WEXITSTATUS(child_end(pids[i])), EINVAL);
	must_fail(access(SOCKET, F_OK), ENOENT);
	must_fail(open(ipc_path(ACCEPT), O_RDWR), ENOENT);
}
END_TEST

START_TEST(test_servers_renamed_over_another_ends_that)
{
	pid_t pid;
	int number = 1;

	must(mkdir(ipc_path(SERVER), 0755));
	must(mkdir(ipc_path(SERVER "2"), 0755));
	must(chdir(ipc_path(SERVER)));
	pid = child_start(open_run, (void *)ACCEPT);
	ck_assert(wait_until(is_accepting, &number, 5000));
	must(rename(ipc_path(SERVER "2"), ipc_path(SERVER)));
	ck_assert_int_eq(WEXITSTATUS(child_end(pid)), EINVAL);
	must_fail(access(SOCKET, F_OK), ENOENT);
	must(access(SOCKET "2", F_OK));
	must(chdir("/"));
}
END_TEST

START_TEST(test_servers_made_again_at_once)
{
	for (int i = 0; i < 3000; i++) {
		must(mkdir(ipc_path(SERVER), 0755));
		must(access(SOCKET, F_OK));
		must(rmdir(ipc_path(SERVER)));
		must_fail(access(SOCKET, F_OK), ENOENT);
	}
}
END_TEST

START_TEST(test_servers_rmdir_leaves_connections)
{
	int client, fd;

	must(mkdir(ipc_path(SERVER), 0755));
	client = socket_connect(SOCKET, SOCK_STREAM);
	fd = channel_open(ACCEPT, O_RDWR);
	must(rmdir(ipc_path(SERVER)));
	must(write(client, "still", 5));
	must_read(fd, "still");
}
END_TEST

START_TEST(test_servers_accept_nonblock_eagain)
{
	must(mkdir(ipc_path(SERVER), 0755));
	must_fail(open(ipc_path(ACCEPT), O_RDWR | O_NONBLOCK), EAGAIN);
	socket_connect(SOCKET, SOCK_STREAM);
	must(open(ipc_path(ACCEPT), O_RDWR | O_NONBLOCK));
}
END_TEST

START_TEST(test_servers_accept_signal_ends_and_loses_no_client)
{
	static const int signals[] = {SIGINT, SIGKILL};
	pid_t pid;
	int client;

	must(mkdir(ipc_path(SERVER), 0755));
	for (int i = 0; i < 2; i++) {
		pid = child_start(open_run, (void *)ACCEPT);
		task_must_block(pid, SYS_openat);
		must(kill(pid, signals[i]));
		ck_assert(child_has_ended(pid, 1000));
		child_end(pid);
	}
	mount_settle(&ipc);
	client = socket_connect(SOCKET, SOCK_STREAM);
	must(write(client, "kept", 4));
	must_read(channel_open(ACCEPT, O_RDWR), "kept");
}
END_TEST

static int hold_run(void *name)
{
	int fd = open(ipc_path(name), O_RDWR);

	pause();
	return fd;
}

/* Whether the first connection through `connect` is there. */
static bool is_connected(void *arg)
{
	(void)arg;
	return access(ipc_path("info/" SERVER ":connect#1"), F_OK) == 0;
}

static bool names_other_end(void *pid)
{
	char text[4096], line[64];
	ssize_t n;
	int fd;

	fd = open(ipc_path("info/" SERVER ":accept#2/peers"), O_RDONLY);
	n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n < 0 ? 0 : n] = 0;
	snprintf(line, sizeof(line), "%d 0 rw test_servers", *(pid_t *)pid);
	return strstr(text, line);
}

START_TEST(test_servers_info_names_client_of_mount)
{
	pid_t pid;

	must(mkdir(ipc_path(SERVER), 0755));
	pid = child_start(hold_run, (void *)CONNECT);
	ck_assert(wait_until(is_connected, NULL, 5000));
	channel_open(ACCEPT, O_RDWR);
	ck_assert(wait_until(names_other_end, &pid, 5000));
	must(kill(pid, SIGKILL));
	child_end(pid);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("servers");
	TCase *tcase = tcase_create("servers");

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_servers_native_client_both_ways);
	tcase_add_test(tcase, test_servers_client_of_mount_both_ways);
	tcase_add_test(tcase, test_servers_directory_has_three_files);
	tcase_add_test(tcase, test_servers_belong_to_maker);
	tcase_add_test(tcase, test_servers_other_user_cannot_accept);
	tcase_add_test(tcase, test_servers_chmod_reaches_socket);
	tcase_add_test(tcase, test_servers_rmdir_ends_waiting_accepts);
	tcase_add_test(tcase, test_servers_renamed_over_another_ends_that);
	tcase_add_test(tcase, test_servers_made_again_at_once);
	tcase_add_test(tcase, test_servers_rmdir_leaves_connections);
	tcase_add_test(tcase, test_servers_accept_nonblock_eagain);
	tcase_add_test(tcase, test_servers_accept_signal_ends_and_loses_no_client);
	tcase_add_test(tcase, test_servers_info_names_client_of_mount);
	return suite_run(suite);
}
