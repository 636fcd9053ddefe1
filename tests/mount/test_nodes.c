/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FIFO and socket nodes made in the mount with mknod(2) and bind(2). The kernel serves them, as in
 * any directory, and the mount shows what they are.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/native.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int fifo_write_run(void *name)
{
	int fd = open(ipc_path(name), O_WRONLY);

	return fd < 0 || write(fd, "fifo", 4) != 4 ? errno : 0;
}

START_TEST(test_nodes_fifo_node_carries_bytes)
{
	char buf[16];
	pid_t pid;
	int fd;

	must(mkfifo(ipc_path("pipes/f"), 0600));
	pid = child_start(fifo_write_run, "pipes/f");
	task_must_wait_for_partner(pid);
	fd = channel_open("pipes/f", O_RDONLY);
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 4);
	ck_assert_int_eq(child_end(pid), 0);
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 0);
}
END_TEST

START_TEST(test_nodes_fifo_node_looks_like_one)
{
	struct stat st;

	umask(022);
	must(mkfifo(ipc_path("pipes/f"), 0666));
	must(stat(ipc_path("pipes/f"), &st));
	ck_assert_uint_eq(st.st_mode, S_IFIFO | 0644);
	must(chmod(ipc_path("pipes/f"), 0600));
	must(stat(ipc_path("pipes/f"), &st));
	ck_assert_uint_eq(st.st_mode, S_IFIFO | 0600);
	ck_assert(channel_is_listed("pipes", "f"));
	must_fail(mkfifo(ipc_path("pipes/f"), 0666), EEXIST);
	must(unlink(ipc_path("pipes/f")));
	must_fail(access(ipc_path("pipes/f"), F_OK), ENOENT);
}
END_TEST

/* mknod(2) must give the type that was asked for, a regular file, so this pipe is not a FIFO. */
START_TEST(test_nodes_regular_node_is_a_served_pipe)
{
	struct stat st;
	char buf[16];
	int fd;

	umask(022);
	must(mknod(ipc_path("pipes/r"), S_IFREG | 0666, 0));
	must(stat(ipc_path("pipes/r"), &st));
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0644);
	channel_put("pipes/r", "served", 6);
	fd = channel_open("pipes/r", O_RDONLY);
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 6);
	ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), 0);
	must(truncate(ipc_path("pipes/r"), 0));
	must_fail(mknod(ipc_path("pipes/r"), S_IFREG | 0666, 0), EEXIST);
}
END_TEST

START_TEST(test_nodes_socket_node_carries_bytes)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int server = (int)must(socket(AF_UNIX, SOCK_STREAM, 0));
	int client = (int)must(socket(AF_UNIX, SOCK_STREAM, 0));
	struct stat st;
	char buf[16];
	int peer;

	ck_assert_uint_lt(strlen(ipc_path("pipes/s")), sizeof(address.sun_path));
	strcpy(address.sun_path, ipc_path("pipes/s"));
	must(bind(server, (struct sockaddr *)&address, sizeof(address)));
	must(listen(server, 1));
	must(lstat(ipc_path("pipes/s"), &st));
	ck_assert(S_ISSOCK(st.st_mode));
	must(connect(client, (struct sockaddr *)&address, sizeof(address)));
	peer = (int)must(accept(server, NULL, NULL));
	ck_assert_int_eq(must(write(client, "socket", 6)), 6);
	ck_assert_int_eq(must(read(peer, buf, sizeof(buf))), 6);
	must(unlink(ipc_path("pipes/s")));
}
END_TEST

/* Connects, and stays until it is killed. */
static int client_run(void *address)
{
	int client = socket(AF_UNIX, SOCK_STREAM, 0);

	if (connect(client, address, sizeof(struct sockaddr_un)) < 0)
		return errno;
	return (int)pause();
}

static bool has_peer(pid_t pid)
{
	char line[32];

	snprintf(line, sizeof(line), "%d 0 rw ", (int)pid);
	return strstr(look_at("info/pipes/s/peers"), line);
}

static bool peer_is_there(void *pid)
{
	return has_peer(*(pid_t *)pid);
}

START_TEST(test_nodes_socket_node_has_its_listener_and_clients_as_peers)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int server = (int)must(socket(AF_UNIX, SOCK_STREAM, 0));
	pid_t pid;
	int peer;

	strcpy(address.sun_path, ipc_path("pipes/s"));
	must(bind(server, (struct sockaddr *)&address, sizeof(address)));
	must(listen(server, 1));
	ck_assert(has_peer(getpid()));
	pid = child_start(client_run, &address);
	ck_assert(wait_until(peer_is_there, &pid, 20000)); /* before the connection is accepted */
	peer = (int)must(accept(server, NULL, NULL));
	ck_assert(has_peer(pid));
	must(close(server));
	ck_assert(has_peer(pid) && has_peer(getpid()));
	must(kill(pid, SIGKILL));
	child_end(pid);
	ck_assert(!has_peer(pid));
	must(close(peer));
	ck_assert_str_eq(look_at("info/pipes/s/peers"), "");
	must(unlink(ipc_path("pipes/s")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("nodes");
	TCase *tcase = suite_case(suite, "nodes", 20);

	tcase_add_test(tcase, test_nodes_fifo_node_carries_bytes);
	tcase_add_test(tcase, test_nodes_fifo_node_looks_like_one);
	tcase_add_test(tcase, test_nodes_regular_node_is_a_served_pipe);
	tcase_add_test(tcase, test_nodes_socket_node_carries_bytes);
	tcase_add_test(tcase, test_nodes_socket_node_has_its_listener_and_clients_as_peers);
	return suite_run(suite);
}
