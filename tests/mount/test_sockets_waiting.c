/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clients that have to wait: for a listener with no room, or for a peer that never reads. A signal
 * ends each wait at once, and the wait leaves nothing behind.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UNIX, TCP, N_SORTS, OTHER = 65534 };

/* A listener that has no room for another client. */
struct full {
	int listener, n_clients;
	char name[512];
};

static bool is_writable(int fd, int milliseconds)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};

	return must(poll(&ready, 1, milliseconds)) == 1;
}

/* Connects clients until one is not let in within 0.3 seconds. */
static void full_start(struct full *full, int sort)
{
	int port = 0;

	if (sort == UNIX)
		full->listener = socket_unix(scratch_path("full"), SOCK_STREAM, 0);
	else
		full->listener = socket_inet(AF_INET, SOCK_STREAM, 0, &port);
	snprintf(full->name, sizeof(full->name), "%s",
		 sort == UNIX ? unix_name("full") : inet_name("tcp", "127.0.0.1", port));
	for (int i = 0; i < 10; i++) {
		int fd = channel_open(full->name, O_RDWR | O_NONBLOCK);

		full->n_clients = i;
		if (is_writable(fd, 300))
			continue;
		must(close(fd));
		return;
	}
	ck_abort_msg("a listener with a backlog of 0 takes any number");
}

static int open_run(void *name)
{
	return open(ipc_path(name), O_RDWR) < 0 ? errno : 0;
}

static void on_signal(int signal)
{
	(void)signal;
}

static int open_interrupted(void *name)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	return open_run(name);
}

START_TEST(test_waiting_connect_full_sigint_gives_eintr)
{
	struct full full;
	int status;
	pid_t pid;

	full_start(&full, _i);
	pid = child_start(open_interrupted, full.name);
	task_must_block(pid, SYS_openat);
	mount_settle(&ipc);
	must(kill(pid, SIGINT));
	ck_assert(child_has_ended(pid, 1000));
	status = child_end(pid);
	ck_assert(WIFEXITED(status));
	ck_assert_int_eq(WEXITSTATUS(status), EINTR);
}
END_TEST

START_TEST(test_waiting_connect_full_sigkill_ends)
{
	struct full full;
	pid_t pid;

	full_start(&full, _i);
	pid = child_start(open_run, full.name);
	task_must_block(pid, SYS_openat);
	must(kill(pid, SIGKILL));
	ck_assert(child_has_ended(pid, 1000));
	ck_assert(WIFSIGNALED(child_end(pid)));
}
END_TEST

START_TEST(test_waiting_connect_full_room_connects)
{
	struct full full;
	pid_t pid;

	full_start(&full, _i);
	pid = child_start(open_run, full.name);
	task_must_block(pid, SYS_openat);
	for (int i = 0; i < full.n_clients + 1; i++)
		socket_accept(full.listener);
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

START_TEST(test_waiting_connect_nonblock_polls_writable_when_connected)
{
	struct full full;
	char byte;
	int fd;

	full_start(&full, _i);
	fd = channel_open(full.name, O_RDWR | O_NONBLOCK);
	must_fail(read(fd, &byte, 1), EAGAIN);
	must_fail(write(fd, "x", 1), EAGAIN);
	ck_assert(!is_writable(fd, 100));
	for (int i = 0; i < full.n_clients + 1; i++)
		socket_accept(full.listener);
	ck_assert(is_writable(fd, 10000));
	ck_assert_int_eq(must(write(fd, "x", 1)), 1);
}
END_TEST

START_TEST(test_waiting_connect_nonblock_refused_polls_error)
{
	struct pollfd ready = {.events = POLLOUT};

	must(close(socket_unix(scratch_path("dead"), SOCK_STREAM, 5)));
	ready.fd = channel_open(unix_name("dead"), O_RDWR | O_NONBLOCK);
	ck_assert_int_eq(must(poll(&ready, 1, 5000)), 1);
	ck_assert(ready.revents & POLLERR);
	must_fail(write(ready.fd, "x", 1), ECONNREFUSED);
}
END_TEST

/*
 * For each user, 256 threads may sleep. Other users have their own, and everything else is served.
 */
START_TEST(test_waiting_connects_many_others_work)
{
	static pid_t pids[256];
	struct full full;
	char other[512];
	int listener;

	full_start(&full, UNIX);
	listener = socket_unix(scratch_path("other"), SOCK_STREAM, 5);
	must(chmod(scratch_path("other"), 0666));
	snprintf(other, sizeof(other), "%s", unix_name("other"));
	for (int i = 0; i < 256; i++)
		pids[i] = child_start(open_run, full.name);
	for (int i = 0; i < 256; i++)
		task_must_block(pids[i], SYS_openat);
	channel_make("pipes/p");
	channel_put("pipes/p", "x", 1);
	child_must_as(OTHER, open_run, other);
	must(close(socket_accept(listener)));
	for (int i = 0; i < 256; i++) {
		ck_assert(!task_is_stuck(pids[i]));
		must(kill(pids[i], SIGKILL));
	}
	for (int i = 0; i < 256; i++)
		child_end(pids[i]);
}
END_TEST

struct writer {
	int fd, peer; /* only the parent keeps the peer */
};

static int write_run(void *arg)
{
	static char data[1 << 20];
	struct writer *writer = arg;
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGINT, &action, NULL);
	if (writer->peer >= 0)
		close(writer->peer);
	return write(writer->fd, data, sizeof(data)) < 0 ? errno : 0;
}

static int reopen_run(void *path)
{
	return open(path, O_RDONLY) < 0 || open(path, O_WRONLY) < 0 ? errno : 0;
}

START_TEST(test_waiting_peer_never_reads_writer_blocks_sigint_ends)
{
	struct writer writer = {.peer = -1};
	pid_t pid;
	int port;

	if (_i == TCP)
		socket_inet(AF_INET, SOCK_STREAM, 5, &port);
	else
		socket_unix(scratch_path("s"), SOCK_STREAM, 5);
	writer.fd = channel_open(_i == TCP ? inet_name("tcp", "127.0.0.1", port) : unix_name("s"),
				 O_RDWR);
	must(fcntl(writer.fd, F_SETFL, O_NONBLOCK));
	while (write(writer.fd, "12345678", 8) > 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
	must(fcntl(writer.fd, F_SETFL, 0));
	pid = child_start(write_run, &writer);
	task_must_block(pid, SYS_write);
	must(kill(pid, SIGINT));
	ck_assert(child_has_ended(pid, 1000));
	ck_assert_int_eq(WEXITSTATUS(child_end(pid)), EINTR);
}
END_TEST

START_TEST(test_waiting_writer_blocked_reopens_at_once)
{
	struct writer writer = {.peer = -1};
	char path[32];
	pid_t pid;

	socket_unix(scratch_path("s"), SOCK_STREAM, 5);
	writer.fd = channel_open(unix_name("s"), O_RDWR);
	pid = child_start(write_run, &writer);
	task_must_block(pid, SYS_write);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", writer.fd);
	child_must(reopen_run, path);
	must(kill(pid, SIGINT));
	child_end(pid);
}
END_TEST

START_TEST(test_waiting_peer_dies_blocked_writer_ends)
{
	struct writer writer = {.peer = -1};
	int listener = socket_unix(scratch_path("s"), SOCK_STREAM, 5);
	pid_t pid;

	writer.fd = channel_open(unix_name("s"), O_RDWR);
	writer.peer = socket_accept(listener);
	pid = child_start(write_run, &writer);
	task_must_block(pid, SYS_write);
	must(close(writer.peer));
	ck_assert(child_has_ended(pid, 2000));
	child_end(pid);
	must_fail(write(writer.fd, "x", 1), EPIPE);
}
END_TEST

static void start_waiting(struct full *full, pid_t pids[3])
{
	static struct writer writer = {.peer = -1};

	full_start(full, UNIX);
	socket_unix(scratch_path("deaf"), SOCK_STREAM, 5);
	pids[0] = child_start(open_run, full->name);
	task_must_block(pids[0], SYS_openat);
	writer.fd = channel_open(unix_name("deaf"), O_RDWR);
	pids[1] = child_start(write_run, &writer);
	task_must_block(pids[1], SYS_write);
	must(mkdir(ipc_path("sockets/servers/ipcfs-test-waiting"), 0700));
	pids[2] = child_start(open_run, (void *)"sockets/servers/ipcfs-test-waiting/accept");
	task_must_block(pids[2], SYS_openat);
}

START_TEST(test_waiting_sigterm_ends_all)
{
	struct full full;
	pid_t pids[3];

	start_waiting(&full, pids);
	must(kill(ipc.daemon, SIGTERM));
	for (int i = 0; i < 3; i++) {
		ck_assert(child_has_ended(pids[i], 5000));
		child_end(pids[i]);
	}
	ck_assert_int_eq(mount_wait(&ipc), 0);
}
END_TEST

START_TEST(test_waiting_daemon_killed_ends_all)
{
	struct full full;
	pid_t pids[3];

	start_waiting(&full, pids);
	must(kill(ipc.daemon, SIGKILL));
	for (int i = 0; i < 3; i++) {
		ck_assert(child_has_ended(pids[i], 5000));
		child_end(pids[i]);
	}
	ck_assert(WIFSIGNALED(mount_wait(&ipc)));
	must(unlink("/run/ipcfs/ipcfs-test-waiting"));
}
END_TEST

static void run_alone(void)
{
	fixture_namespaces();
	must(mount("tmpfs", "/run", "tmpfs", 0, "mode=0755"));
	mount_start(&ipc, "ipc", "allow_other");
}

static void nothing(void)
{
}

int main(void)
{
	Suite *suite = suite_create("sockets_waiting");
	TCase *tcase = suite_case(suite, "waiting", 60);
	TCase *ends = tcase_create("ends");

	tcase_add_loop_test(tcase, test_waiting_connect_full_sigint_gives_eintr, 0, N_SORTS);
	tcase_add_loop_test(tcase, test_waiting_connect_full_sigkill_ends, 0, N_SORTS);
	tcase_add_loop_test(tcase, test_waiting_connect_full_room_connects, 0, N_SORTS);
	tcase_add_loop_test(tcase, test_waiting_connect_nonblock_polls_writable_when_connected, 0,
			    N_SORTS);
	tcase_add_test(tcase, test_waiting_connect_nonblock_refused_polls_error);
	tcase_add_test(tcase, test_waiting_connects_many_others_work);
	tcase_add_loop_test(tcase, test_waiting_peer_never_reads_writer_blocks_sigint_ends, 0,
			    N_SORTS);
	tcase_add_test(tcase, test_waiting_writer_blocked_reopens_at_once);
	tcase_add_test(tcase, test_waiting_peer_dies_blocked_writer_ends);
	tcase_set_timeout(ends, 30);
	tcase_add_checked_fixture(ends, run_alone, nothing);
	tcase_add_test(ends, test_waiting_sigterm_ends_all);
	tcase_add_test(ends, test_waiting_daemon_killed_ends_all);
	suite_add_tcase(suite, ends);
	return suite_run(suite);
}
