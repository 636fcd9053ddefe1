/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taps: info/KIND/NAME/tap shows what passes through the mount, to whom it may, and neither takes
 * anything nor makes anyone wait.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/native.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"
#include "tests/mount/waiter.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OTHER = 4321, MIB = 1 << 20, KEY = 0x4d2 };

static const char *const names[] = {"pipes/p", "queues/q", "sysv/queues/0x000004d2", "events/e"};
enum { NAME_PIPE, NAME_QUEUE, NAME_SYSV, NAME_EVENT, N_NAMES };

static int tap_try(const char *name, int flags)
{
	char path[512];

	snprintf(path, sizeof(path), "info/%s/tap", name);
	return open(ipc_path(path), flags | O_CLOEXEC);
}

static int tap_open(const char *name)
{
	return (int)must(tap_try(name, O_RDONLY));
}

/* Reads exactly `size` bytes, which must come within 5 seconds. */
static void take(int tap, char *buf, size_t size)
{
	struct pollfd item = {.fd = tap, .events = POLLIN};

	for (ssize_t n; size; size -= (size_t)n, buf += n) {
		ck_assert_int_eq(must(poll(&item, 1, 5000)), 1);
		n = must(read(tap, buf, size));
		ck_assert_int_gt(n, 0);
	}
}

static void take_line(int tap, char *line, size_t size)
{
	size_t n = 0;

	do {
		ck_assert_uint_lt(n + 1, size);
		take(tap, line + n, 1);
	} while (line[n++] != '\n');
	line[n - 1] = '\0';
}

/* Takes the line before a record. */
static size_t take_header(int tap, const char *pid, char way)
{
	char line[128], found_pid[32], found_way;
	long long seconds;
	long nanoseconds;
	size_t size;

	take_line(tap, line, sizeof(line));
	ck_assert_msg(sscanf(line, "%lld.%9ld %31s %c %zu", &seconds, &nanoseconds, found_pid,
			     &found_way, &size) == 5,
		      "no header: %s", line);
	ck_assert_msg(!strcmp(found_pid, pid) && found_way == way, "not %s %c: %s", pid, way, line);
	return size;
}

static void expect_by(int tap, const char *pid, char way, const char *bytes)
{
	size_t size = take_header(tap, pid, way);
	char found[256];

	ck_assert_uint_eq(size, strlen(bytes));
	take(tap, found, size + 1);
	ck_assert_mem_eq(found, bytes, size);
	ck_assert_int_eq(found[size], '\n');
}

static void expect(int tap, pid_t pid, char way, const char *bytes)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	expect_by(tap, text, way, bytes);
}

static void expect_end(int tap)
{
	struct pollfd item = {.fd = tap, .events = POLLIN};
	char byte;

	ck_assert_int_eq(must(poll(&item, 1, 5000)), 1);
	ck_assert_int_eq(must(read(tap, &byte, 1)), 0);
}

static void expect_nothing(int tap)
{
	char byte;

	must(fcntl(tap, F_SETFL, O_NONBLOCK));
	must_fail(read(tap, &byte, 1), EAGAIN);
	must(fcntl(tap, F_SETFL, 0));
}

static int put_run(void *name)
{
	int fd = open(ipc_path(name), O_WRONLY);

	return fd < 0 || write(fd, "42\n", 3) != 3 ? errno : 0;
}

static int take_run(void *name)
{
	char buf[MESSAGE_MAX];
	int fd = open(ipc_path(name), O_RDONLY);

	return fd < 0 || read(fd, buf, sizeof(buf)) != 3 ? errno : 0;
}

/* Runs the body, and returns the pid that it had. */
static pid_t run(int (*body)(void *), const char *name)
{
	pid_t pid = child_start(body, (void *)name);

	ck_assert_int_eq(child_end(pid), 0);
	return pid;
}

START_TEST(test_taps_show_who_writes_and_who_reads)
{
	int tap;

	channel_make(names[_i]);
	tap = tap_open(names[_i]);
	for (int i = 0; i < 3; i++) {
		pid_t writer = run(put_run, names[_i]);
		pid_t reader = run(take_run, names[_i]);

		expect(tap, writer, '>', "42\n");
		expect(tap, reader, '<', "42\n");
	}
	expect_nothing(tap);
}
END_TEST

/* The reader is there first, and is answered straight from the writer's bytes. */
START_TEST(test_taps_show_a_waiting_reader_after_the_writer)
{
	pid_t reader, writer;
	int tap;

	channel_make(names[_i]);
	tap = tap_open(names[_i]);
	reader = child_start(take_run, (void *)names[_i]);
	task_must_block(reader, SYS_read);
	mount_settle(&ipc);
	writer = run(put_run, names[_i]);
	ck_assert_int_eq(child_end(reader), 0);
	expect(tap, writer, '>', "42\n");
	expect(tap, reader, '<', "42\n");
}
END_TEST

/* A System V queue's writer is a thread of the daemon's. */
START_TEST(test_taps_show_a_waiting_writer_when_it_has_written)
{
	static char buf[MIB + 1];
	char pid[16];
	pid_t writer;
	int tap;

	snprintf(pid, sizeof(pid), "%d", getpid());
	channel_make(names[_i]);
	channel_fill(names[_i]);
	tap = tap_open(names[_i]);
	writer = child_start(put_run, (void *)names[_i]);
	task_must_block(writer, SYS_write);
	mount_settle(&ipc);
	must(channel_take(names[_i], buf, MESSAGE_MAX));
	ck_assert_int_eq(child_end(writer), 0);
	take(tap, buf, take_header(tap, pid, '<') + 1);
	expect(tap, writer, '>', "42\n");
	expect_nothing(tap);
}
END_TEST

START_TEST(test_taps_take_nothing)
{
	char buf[8];

	channel_make(names[_i]);
	tap_open(names[_i]);
	channel_put(names[_i], "7\n", 2);
	ck_assert_int_eq(must(channel_take(names[_i], buf, sizeof(buf))), 2);
	ck_assert_mem_eq(buf, "7\n", 2);
}
END_TEST

START_TEST(test_taps_show_a_message_read_in_part_once)
{
	char byte;
	int tap, fd;

	channel_make("queues/q");
	tap = tap_open("queues/q");
	fd = channel_open("queues/q", O_RDWR);
	must(write(fd, "abc", 3));
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(must(read(fd, &byte, 1)), 1);
	expect(tap, getpid(), '>', "abc");
	expect(tap, getpid(), '<', "abc");
	expect_nothing(tap);
}
END_TEST

static void *thread_run(void *name)
{
	channel_put(name, "8\n", 2);
	return NULL;
}

START_TEST(test_taps_show_the_process_of_a_thread)
{
	pthread_t thread;
	int tap;

	channel_make("events/e");
	tap = tap_open("events/e");
	ck_assert_int_eq(pthread_create(&thread, NULL, thread_run, "events/e"), 0);
	pthread_join(thread, NULL);
	expect(tap, getpid(), '>', "8\n");
}
END_TEST

/* All bytes of the longest write there is, whatever their values, are there. */
START_TEST(test_taps_show_every_byte)
{
	static char sent[MIB], shown[MIB + 1];
	char pid[16];
	size_t size = 0;
	int tap;

	for (size_t i = 0; i < MIB; i++)
		sent[i] = (char)random();
	snprintf(pid, sizeof(pid), "%d", getpid());
	channel_make("pipes/p");
	tap = tap_open("pipes/p");
	channel_put("pipes/p", sent, MIB);
	while (size < MIB) {
		size_t n = take_header(tap, pid, '>');

		ck_assert_uint_le(size + n, MIB);
		take(tap, shown + size, n + 1);
		size += n;
	}
	ck_assert_mem_eq(sent, shown, MIB);
}
END_TEST

static int must_be_missing(void *name)
{
	int fd = tap_try(name, O_RDONLY);

	return fd >= 0 ? EEXIST : errno;
}

START_TEST(test_taps_are_not_there_for_who_may_not_read)
{
	channel_make(names[_i]);
	must(chmod(ipc_path(names[_i]), 0622));
	ck_assert_int_eq(child_code_as(OTHER, must_be_missing, (void *)names[_i]), ENOENT);
	must(chmod(ipc_path(names[_i]), 0644));
	ck_assert_int_eq(child_code_as(OTHER, must_be_missing, (void *)names[_i]), EEXIST);
}
END_TEST

START_TEST(test_taps_are_read_only_and_not_listed)
{
	char dir[64];

	channel_make(names[_i]);
	must_fail(tap_try(names[_i], O_WRONLY), EACCES);
	must_fail(tap_try(names[_i], O_RDWR), EACCES);
	snprintf(dir, sizeof(dir), "info/%s", names[_i]);
	ck_assert(channel_is_listed(dir, "status"));
	ck_assert(!channel_is_listed(dir, "tap"));
}
END_TEST

/* Another user sees its own pid, but not root's. */
static int own_and_root(void *ready)
{
	int tap = tap_open("queues/q"), fd = channel_open("queues/q", O_WRONLY | O_NONBLOCK);

	must(write(fd, "mine", 4));
	expect(tap, getpid(), '>', "mine");
	must(write(*(int *)ready, "", 1));
	expect_by(tap, "-", '>', "hello");
	return 0;
}

START_TEST(test_taps_show_pids_of_the_own_user_only)
{
	int tap, ready[2];
	pid_t child;
	char byte;

	must(pipe(ready));
	channel_make("queues/q");
	must(chmod(ipc_path("queues/q"), 0666));
	tap = tap_open("queues/q");
	child = child_start_as(OTHER, own_and_root, &ready[1]);
	ck_assert_int_eq(must(read(ready[0], &byte, 1)), 1);
	channel_put("queues/q", "hello", 5);
	ck_assert_int_eq(child_end(child), 0);
	expect(tap, child, '>', "mine");
	expect(tap, getpid(), '>', "hello");
}
END_TEST

START_TEST(test_taps_wait_and_are_polled)
{
	struct waiter waiter;
	int tap;

	channel_make("queues/q");
	tap = tap_open("queues/q");
	expect_nothing(tap);
	waiter_start(&waiter, tap, POLLIN, _i);
	channel_put("queues/q", "hello", 5);
	ck_assert_int_eq(waiter_end(&waiter) & POLLIN, POLLIN);
	expect(tap, getpid(), '>', "hello");
	expect_nothing(tap);
}
END_TEST

static int read_run(void *tap)
{
	char byte;

	signal_interrupts(SIGUSR1);
	return read(*(int *)tap, &byte, 1) < 0 ? errno : 0;
}

START_TEST(test_taps_are_interrupted)
{
	pid_t child;
	int tap;

	channel_make("queues/q");
	tap = tap_open("queues/q");
	child = child_start(read_run, &tap);
	task_must_block(child, SYS_read);
	must(kill(child, SIGUSR1));
	ck_assert_int_eq(WEXITSTATUS(child_end(child)), EINTR);
}
END_TEST

/* Nobody reads the tap meanwhile, and nobody waits for it. */
START_TEST(test_taps_say_what_they_missed)
{
	enum { N = 500, SIZE = 8000, SHARED = 2 * MIB };
	static char buf[2 * MIB];
	unsigned long missed = 0, got = 0;
	char line[64];
	int tap, fd;

	channel_make("queues/q");
	tap = tap_open("queues/q");
	fd = channel_open("queues/q", O_RDWR);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(must(write(fd, buf, SIZE)), SIZE);
		ck_assert_int_eq(must(read(fd, buf, SIZE)), SIZE);
	}
	take_line(tap, line, sizeof(line));
	ck_assert_int_eq(sscanf(line, "missed %lu", &missed), 1);
	for (; missed + got < 2 * N; got++) {
		take_line(tap, line, sizeof(line));
		take(tap, buf, SIZE + 1);
	}
	expect_nothing(tap);
	ck_assert_uint_gt(got, SHARED / SIZE / 2);
}
END_TEST

START_TEST(test_taps_end_when_the_object_is_removed)
{
	int tap;

	channel_make(names[_i]);
	tap = tap_open(names[_i]);
	channel_put(names[_i], "9\n", 2);
	must(unlink(ipc_path(names[_i])));
	expect(tap, getpid(), '>', "9\n");
	expect_end(tap);
	expect_end(tap);
}
END_TEST

START_TEST(test_taps_end_when_an_open_object_is_removed_and_closed)
{
	int tap, fd;

	channel_make(names[_i]);
	tap = tap_open(names[_i]);
	fd = channel_open(names[_i], O_RDWR);
	must(unlink(ipc_path(names[_i])));
	if (_i != NAME_SYSV) { /* that is gone at once: EIDRM */
		must(write(fd, "9\n", 2));
		expect(tap, getpid(), '>', "9\n");
	}
	expect_nothing(tap);
	must(close(fd));
	expect_end(tap);
}
END_TEST

START_TEST(test_taps_end_when_a_queue_is_removed_natively)
{
	int tap, sysv;

	native_make("/q");
	tap = tap_open("queues/q");
	must(mq_unlink("/q"));
	expect_end(tap);
	sysv = (int)must(msgget(KEY, IPC_CREAT | 0600));
	tap = tap_open(names[NAME_SYSV]);
	must(msgctl(sysv, IPC_RMID, NULL));
	expect_end(tap);
}
END_TEST

/* A new object of that name is another one, with another tap. */
START_TEST(test_taps_are_of_one_object)
{
	int taps[2];

	channel_make(names[_i]);
	taps[0] = tap_open(names[_i]);
	must(unlink(ipc_path(names[_i])));
	channel_make(names[_i]);
	taps[1] = tap_open(names[_i]);
	channel_put(names[_i], "9\n", 2);
	expect(taps[1], getpid(), '>', "9\n");
	expect_end(taps[0]);
}
END_TEST

/* The name in info/ of the only open connection to a Unix socket. Valid until the next call. */
static const char *connection_name(void)
{
	static char name[512];
	DIR *dir = opendir(ipc_path("info/sockets/unix"));
	struct dirent *entry;

	ck_assert_ptr_nonnull(dir);
	name[0] = '\0';
	while ((entry = readdir(dir)))
		if (strchr(entry->d_name, '#'))
			snprintf(name, sizeof(name), "sockets/unix/%s", entry->d_name);
	closedir(dir);
	ck_assert_str_ne(name, "");
	return name;
}

static const int socket_types[] = {SOCK_STREAM, SOCK_SEQPACKET};

START_TEST(test_taps_of_a_connection_show_both_ways_and_do_not_keep_it)
{
	int listener = socket_unix(scratch_path("s"), socket_types[_i], 5);
	int fd = channel_open(unix_name("s"), O_RDWR);
	int peer = socket_accept(listener);
	int tap = tap_open(connection_name());
	char byte;

	ck_assert_int_eq(must(write(fd, "to you", 6)), 6);
	must_read(peer, "to you");
	ck_assert_int_eq(must(write(peer, "to me", 5)), 5);
	must_read(fd, "to me");
	expect(tap, getpid(), '>', "to you");
	expect(tap, getpid(), '<', "to me");
	expect_nothing(tap);
	must(close(fd));
	ck_assert_int_eq(must(read(peer, &byte, 1)), 0);
	expect_end(tap);
}
END_TEST

/* The mode of the socket lets everybody connect, but nobody else listen in. */
START_TEST(test_taps_of_a_connection_are_for_its_opener)
{
	int listener = socket_unix(scratch_path("s"), SOCK_STREAM, 5);
	const char *name;
	int fd;

	must(chmod(scratch_path("s"), 0666));
	fd = channel_open(unix_name("s"), O_RDWR);
	name = connection_name();
	ck_assert_int_eq(child_code_as(OTHER, must_be_missing, (void *)name), ENOENT);
	must(close(fd));
	must(close(listener));
}
END_TEST

/* Watches until it is killed. */
static int watch_run(void *name)
{
	static char buf[65536];
	int tap = tap_try(name, O_RDONLY);

	while (tap >= 0 && read(tap, buf, sizeof(buf)) > 0)
		;
	return errno;
}

/* Writes numbers, each of which comes back, until it is killed. */
static int talk_run(void *name)
{
	int fd = open(ipc_path(name), O_RDWR);
	char sent[16], got[16];

	for (int i = 1;; i++) {
		int n = snprintf(sent, sizeof(sent), "%d\n", i);

		if (write(fd, sent, (size_t)n) != n || read(fd, got, sizeof(got)) != n ||
		    memcmp(sent, got, (size_t)n) != 0)
			return 1;
	}
}

START_TEST(test_taps_killed_at_random_disturb_nobody)
{
	enum { N_TAPS = 50, N_ROUNDS = 200 };
	pid_t taps[N_TAPS], talker;
	const struct timespec pause = {.tv_nsec = 2000000};

	channel_make(names[_i]);
	talker = child_start(talk_run, (void *)names[_i]);
	for (int i = 0; i < N_TAPS; i++)
		taps[i] = child_start(watch_run, (void *)names[_i]);
	for (int i = 0; i < N_ROUNDS; i++) {
		int one = (int)(random() % N_TAPS);

		nanosleep(&pause, NULL);
		must(kill(taps[one], SIGKILL));
		child_end(taps[one]);
		taps[one] = child_start(watch_run, (void *)names[_i]);
	}
	for (int i = 0; i < N_TAPS; i++) {
		must(kill(taps[i], SIGKILL));
		child_end(taps[i]);
	}
	ck_assert(!child_has_ended(talker, 0));
	must(kill(talker, SIGKILL));
	child_end(talker);
}
END_TEST

/* What a user may store, divided by what a tap may: the next one is refused, to that user alone. */
static int open_too_many(void *name)
{
	int n = 0;

	while (tap_try(name, O_RDONLY) >= 0)
		n++;
	return errno != ENOBUFS || n < 50 ? 1 : 0;
}

START_TEST(test_taps_are_limited_for_each_user)
{
	channel_make("events/e");
	must(chmod(ipc_path("events/e"), 0666));
	child_must_as(OTHER, open_too_many, "events/e");
	tap_open("events/e");
}
END_TEST

/* An event keeps a descriptor of the daemon. */
static void remove_event(void)
{
	unlink(ipc_path("events/e"));
}

static void add_each(TCase *tcase, const TTest *test, int n)
{
	tcase_add_loop_test(tcase, test, 0, n);
}

int main(void)
{
	Suite *suite = suite_create("taps");
	TCase *tcase = suite_case_served(suite, "taps", 60);

	tcase_add_checked_fixture(tcase, NULL, remove_event);
	add_each(tcase, test_taps_show_who_writes_and_who_reads, N_NAMES);
	add_each(tcase, test_taps_show_a_waiting_reader_after_the_writer, N_NAMES);
	add_each(tcase, test_taps_show_a_waiting_writer_when_it_has_written, NAME_EVENT);
	add_each(tcase, test_taps_take_nothing, N_NAMES);
	tcase_add_test(tcase, test_taps_show_a_message_read_in_part_once);
	tcase_add_test(tcase, test_taps_show_the_process_of_a_thread);
	tcase_add_test(tcase, test_taps_show_every_byte);
	add_each(tcase, test_taps_are_not_there_for_who_may_not_read, N_NAMES);
	add_each(tcase, test_taps_are_read_only_and_not_listed, N_NAMES);
	tcase_add_test(tcase, test_taps_show_pids_of_the_own_user_only);
	add_each(tcase, test_taps_wait_and_are_polled, N_METHODS);
	tcase_add_test(tcase, test_taps_are_interrupted);
	tcase_add_test(tcase, test_taps_say_what_they_missed);
	add_each(tcase, test_taps_end_when_the_object_is_removed, N_NAMES);
	add_each(tcase, test_taps_end_when_an_open_object_is_removed_and_closed, N_NAMES);
	tcase_add_test(tcase, test_taps_end_when_a_queue_is_removed_natively);
	add_each(tcase, test_taps_are_of_one_object, N_NAMES);
	add_each(tcase, test_taps_of_a_connection_show_both_ways_and_do_not_keep_it, 2);
	tcase_add_test(tcase, test_taps_of_a_connection_are_for_its_opener);
	add_each(tcase, test_taps_killed_at_random_disturb_nobody, N_NAMES);
	tcase_add_test(tcase, test_taps_are_limited_for_each_user);
	return suite_run(suite);
}
