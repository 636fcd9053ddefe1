/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon is killed while somebody uses what is not a plain channel of the daemon's: FIFOs,
 * mapped memory, connections, processes, directories and texts.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/kept.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"
#include "tests/mount/signals.h"
#include "tests/mount/sockets.h"
#include "tests/mount/takeover.h"
#include "tests/mount/taps.h"
#include "tests/mount/waiter.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_FILES = 1000, SIZE = 8192 };

static void put(int fd, const char *text)
{
	ck_assert_int_eq(must(write(fd, text, strlen(text))), strlen(text));
}

START_TEST(test_takeover_a_fifo_with_bytes_that_nobody_has_open)
{
	char got[16] = "";

	kept_make("pipes/p");
	channel_put("pipes/p", "kept\n", 5);
	takeover_kill();
	kept_await_held("pipes/p", "both");
	takeover_kill();
	ck_assert_int_eq(channel_take("pipes/p", got, sizeof(got)), 5);
	ck_assert_str_eq(got, "kept\n");
	kept_await_held("pipes/p", "read");
}
END_TEST

/* By place: of a kept FIFO, and of one that mkfifo(1) made. */
START_TEST(test_takeover_a_fifo_with_both_ends_open)
{
	struct call call;
	int in, out;

	if (_i)
		kept_make("pipes/p");
	else
		must(mkfifo(ipc_path("pipes/p"), 0600));
	in = kept_reader(ipc_path("pipes/p"));
	out = kept_writer(ipc_path("pipes/p"));
	put(out, "one");
	takeover_kill();
	must_read(in, "one");
	call_read(&call, in);
	takeover_kill();
	put(out, "two");
	call_end_text(&call, "two");
	close(out);
	takeover_kill();
	ck_assert_int_eq(must(read(in, call.buf, 1)), 0);
}
END_TEST

START_TEST(test_takeover_a_reader_that_waits_in_open)
{
	struct call call;

	kept_make("pipes/p");
	call_open(&call, "pipes/p", O_RDONLY);
	task_must_wait_for_partner(call.tid);
	takeover_kill();
	channel_put("pipes/p", "one", 3);
	call_end(&call);
	ck_assert_int_ge(call.result, 0);
	must_read((int)call.result, "one");
}
END_TEST

/* By sort of memory. */
START_TEST(test_takeover_mapped_memory)
{
	static const char *const names[] = {"shm/r", "sysv/shm/0x13"};
	const char *path = ipc_path(names[_i]);
	struct stat st;
	char *a, *b;
	int fd;

	look_command(_i ? "create sysv/shm/0x13 size=8K\n" : "create shm/r size=8K\n");
	fd = channel_open(names[_i], O_RDWR);
	a = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(a, MAP_FAILED);
	strcpy(a, "before");
	takeover_kill();
	ck_assert_int_eq(must(pwrite(fd, "B", 1, 0)), 1);
	ck_assert_str_eq(a, "Before");
	b = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, channel_open(names[_i], O_RDWR),
		 0);
	ck_assert_ptr_ne(b, MAP_FAILED);
	strcpy(b + 4096, "after");
	ck_assert_str_eq(a + 4096, "after");
	must(unlink(path));
	takeover_kill();
	must_fail(open(path, O_RDWR), ENOENT);
	ck_assert_int_eq(must(pwrite(fd, "b", 1, 0)), 1);
	ck_assert_str_eq(b, "before");
	must(fstat(fd, &st));
	ck_assert_int_eq(st.st_size, SIZE);
	must(munmap(a, SIZE));
	must(munmap(b, SIZE));
}
END_TEST

/* By sort of socket: tcp, unix stream, unix datagrams that come back. */
START_TEST(test_takeover_a_connection)
{
	struct call call;
	struct waiter waiter;
	int port, listener, fd, peer;

	if (_i) {
		listener = socket_unix(scratch_path("u"), SOCK_STREAM, 4);
		fd = channel_open(unix_name("u"), O_RDWR);
	} else {
		listener = socket_inet(AF_INET, SOCK_STREAM, 4, &port);
		fd = channel_open(inet_name("tcp", "127.0.0.1", port), O_RDWR);
	}
	peer = socket_accept(listener);
	put(fd, "to");
	put(peer, "back");
	takeover_kill();
	must_read(fd, "back");
	must_read(peer, "to");
	call_read(&call, fd);
	takeover_kill();
	put(peer, "again");
	call_end_text(&call, "again");
	waiter_start(&waiter, fd, POLLIN, POLL);
	takeover_kill();
	put(peer, "third");
	ck_assert_int_eq(waiter_end(&waiter) & POLLIN, POLLIN);
	must_read(fd, "third");
	must(close(peer));
	takeover_kill();
	ck_assert_int_eq(must(read(fd, call.buf, 1)), 0);
	must(close(listener));
}
END_TEST

START_TEST(test_takeover_a_server)
{
	struct call call;
	int client, server, second;

	must(mkdir(ipc_path("sockets/servers/s"), 0755));
	call_open(&call, "sockets/servers/s/accept", O_RDWR);
	for (int i = 0; i < 3; i++) {
		takeover_kill();
		ck_assert(call_waits(&call));
	}
	client = channel_open("sockets/servers/s/connect", O_RDWR);
	call_end(&call);
	ck_assert_int_ge(call.result, 0);
	server = (int)call.result;
	put(client, "hello");
	takeover_kill();
	must_read(server, "hello");
	second = channel_open("sockets/servers/s/connect", O_RDWR);
	takeover_kill();
	server = channel_open("sockets/servers/s/accept", O_RDWR);
	put(second, "second");
	must_read(server, "second");
	must(rmdir(ipc_path("sockets/servers/s")));
	takeover_kill();
	must_fail(access(ipc_path("sockets/servers/s"), F_OK), ENOENT);
	put(server, "last");
	must_read(second, "last");
}
END_TEST

/* The next daemon must not ask itself what the socket is. */
START_TEST(test_takeover_a_server_that_listens_in_the_mount)
{
	char line[256];
	int client, server;

	snprintf(line, sizeof(line), "create sockets/servers/s listen=unix:%s/pipes/x\n", ipc.dir);
	look_command(line);
	takeover_kill();
	client = channel_open("sockets/servers/s/connect", O_RDWR);
	server = channel_open("sockets/servers/s/accept", O_RDWR);
	put(client, "hello");
	must_read(server, "hello");
	must(rmdir(ipc_path("sockets/servers/s")));
}
END_TEST

START_TEST(test_takeover_the_end_of_a_process)
{
	pid_t pid = child_start(pause_for_ever, NULL);
	struct call call;
	int fd = (int)must(process_open(pid, O_RDWR));
	int late = (int)must(process_open(pid, O_RDONLY));
	char line[32] = "";

	call_read(&call, fd);
	takeover_kill();
	ck_assert(call_waits(&call));
	put(fd, "0\n");
	put(fd, "TERM\n");
	child_end(pid);
	call_end_text(&call, mount_is_without("pidfd_info") ? "ended\n" : "killed TERM\n");
	takeover_kill();
	must(read(late, line, sizeof(line) - 1));
	ck_assert_str_eq(line, mount_is_without("pidfd_info") ? "ended\n" : "killed TERM\n");
	ck_assert_int_eq(must(read(fd, line, sizeof(line))), 0);
	must_fail(write(fd, "TERM\n", 5), ESRCH);
}
END_TEST

/* The daemon is killed halfway through; nothing is listed twice, and nothing is left out. */
START_TEST(test_takeover_a_directory_that_is_being_listed)
{
	static bool seen[N_FILES];
	char name[32];
	struct dirent *entry;
	int i, n = 0;
	DIR *dir;

	for (i = 0; i < N_FILES; i++) {
		snprintf(name, sizeof(name), "%s/%d", _i ? "topics" : "shm", i);
		channel_make(name);
	}
	dir = opendir(ipc_path(_i ? "topics" : "shm"));
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		i = atoi(entry->d_name);
		ck_assert_msg(!seen[i], "%d is listed twice", i);
		seen[i] = true;
		if (++n == N_FILES / 3)
			takeover_kill();
	}
	ck_assert_int_eq(n, N_FILES);
	closedir(dir);
}
END_TEST

START_TEST(test_takeover_a_working_directory)
{
	int dir = (int)must(open(ipc_path("sockets/servers"), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct stat st;

	look_command("create queues/q\n");
	must(chdir(ipc_path("queues")));
	takeover_kill();
	must(access("q", F_OK));
	must(access("../README", F_OK));
	close((int)must(open("new", O_RDWR | O_CREAT | O_CLOEXEC, 0600)));
	must(stat("new", &st));
	must(mkdirat(dir, "s", 0755));
	must(fchdir(dir));
	takeover_kill();
	must(access("s/accept", F_OK));
	must(rmdir("s"));
	must(chdir("/"));
}
END_TEST

START_TEST(test_takeover_a_text_that_is_half_read)
{
	static const char *const names[] = {"info/queues/q/status", "info/inventory.json", "README",
					    "ctl"};
	static char whole[65536], again[65536];
	ssize_t n, size;
	int fd;

	look_command("create queues/q\n");
	fd = channel_open(names[_i], O_RDONLY);
	size = must(pread(fd, whole, sizeof(whole), 0));
	ck_assert_int_gt(size, 20);
	ck_assert_int_eq(must(read(fd, again, 10)), 10);
	takeover_kill();
	n = must(read(fd, again + 10, sizeof(again) - 10));
	ck_assert_int_eq(n, size - 10);
	ck_assert_mem_eq(again, whole, size);
	ck_assert_int_gt(must(pread(channel_open(names[_i], O_RDONLY), again, sizeof(again), 0)),
			 0);
}
END_TEST

/* The kernel opens /proc/self/fd/N without another lookup. By name, and by whether it was read. */
START_TEST(test_takeover_a_text_that_was_looked_up)
{
	static const char *const names[] = {"info/queues/q/status", "info/summary", "README",
					    "ctl"};
	const char *name = names[_i % 4];
	char link[32], text[64];
	int path, fd;

	look_command("create queues/q\n");
	path = channel_open(name, O_PATH);
	if (_i / 4)
		look_at(name);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", path);
	for (int i = 0; i < 3; i++) {
		takeover_kill();
		fd = (int)must(open(link, O_RDONLY | O_CLOEXEC));
		ck_assert_int_gt(must(read(fd, text, sizeof(text))), 20);
		if (i)
			must(close(fd)); /* the first stays open over the next kill */
	}
}
END_TEST

START_TEST(test_takeover_a_directory_of_texts)
{
	look_command("create queues/q\n");
	must(chdir(ipc_path("info/queues/q")));
	takeover_kill();
	must(access("../q/peers", F_OK));
	close((int)must(open("status", O_RDONLY | O_CLOEXEC)));
	must(unlink(ipc_path("queues/q")));
	takeover_kill();
	must_fail(open("status", O_RDONLY | O_CLOEXEC), ESTALE);
	must(chdir("/"));
}
END_TEST

START_TEST(test_takeover_ctl)
{
	int fd = channel_open("ctl", O_WRONLY);

	put(fd, "create queues/a\n");
	takeover_kill();
	must_fail(write(fd, "create queues/b nonsense=1\n", 27), EINVAL);
	put(fd, "create queues/b\ncreate topics/t keep=3\n");
	takeover_kill();
	put(fd, "set topics/t keep=5\n");
	ck_assert_int_eq(look_for("topics/t", "keep"), 5);
	must(access(ipc_path("queues/a"), F_OK));
	must(access(ipc_path("queues/b"), F_OK));
}
END_TEST

/* What is written while no daemon serves is shown, too. */
START_TEST(test_takeover_a_tap)
{
	static const char *const name = "queues/q";
	int fd, tap;

	look_command("create queues/q\n");
	fd = channel_open(name, O_RDWR);
	tap = tap_open(name);
	put(fd, "one");
	tap_expect(tap, getpid(), '>', "one");
	takeover_kill();
	put(fd, "two");
	tap_expect(tap, getpid(), '>', "two");
	must_read(fd, "one");
	tap_expect(tap, getpid(), '<', "one");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("takeover_kinds");
	TCase *tcase = takeover_case(suite, "kinds", 60);

	kept_add(tcase, test_takeover_a_fifo_with_bytes_that_nobody_has_open);
	kept_add_loop(tcase, test_takeover_a_fifo_with_both_ends_open, 2);
	kept_add(tcase, test_takeover_a_reader_that_waits_in_open);
	tcase_add_loop_test(tcase, test_takeover_mapped_memory, 0, 2);
	tcase_add_loop_test(tcase, test_takeover_a_connection, 0, 2);
	tcase_add_test(tcase, test_takeover_a_server);
	tcase_add_test(tcase, test_takeover_a_server_that_listens_in_the_mount);
	tcase_add_test(tcase, test_takeover_the_end_of_a_process);
	tcase_add_loop_test(tcase, test_takeover_a_directory_that_is_being_listed, 0, 2);
	tcase_add_test(tcase, test_takeover_a_working_directory);
	tcase_add_loop_test(tcase, test_takeover_a_text_that_is_half_read, 0, 4);
	tcase_add_loop_test(tcase, test_takeover_a_text_that_was_looked_up, 0, 8);
	tcase_add_test(tcase, test_takeover_a_directory_of_texts);
	tcase_add_test(tcase, test_takeover_ctl);
	tcase_add_test(tcase, test_takeover_a_tap);
	return suite_run(suite);
}
