/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taps: for whom they are there, and how long. And many of them, which come and go.
 */
#include "tests/mount/channels.h"
#include "tests/mount/native.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"
#include "tests/mount/taps.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OTHER = 4321, KEY = 0x4d2 };

START_TEST(test_taps_are_not_there_for_who_may_not_read)
{
	channel_make(tap_names[_i]);
	must(chmod(ipc_path(tap_names[_i]), 0622));
	ck_assert_int_eq(child_code_as(OTHER, tap_missing_run, (void *)tap_names[_i]), ENOENT);
	must(chmod(ipc_path(tap_names[_i]), 0644));
	ck_assert_int_eq(child_code_as(OTHER, tap_missing_run, (void *)tap_names[_i]), EEXIST);
}
END_TEST

START_TEST(test_taps_are_read_only_and_not_listed)
{
	char dir[64];

	channel_make(tap_names[_i]);
	must_fail(tap_try(tap_names[_i], O_WRONLY), EACCES);
	must_fail(tap_try(tap_names[_i], O_RDWR), EACCES);
	snprintf(dir, sizeof(dir), "info/%s", tap_names[_i]);
	ck_assert(channel_is_listed(dir, "status"));
	ck_assert(!channel_is_listed(dir, "tap"));
}
END_TEST

/* Another user sees its own pid, but not root's. */
static int own_and_root(void *ready)
{
	int tap = tap_open("queues/q"), fd = channel_open("queues/q", O_WRONLY | O_NONBLOCK);

	must(write(fd, "mine", 4));
	tap_expect(tap, getpid(), '>', "mine");
	must(write(*(int *)ready, "", 1));
	tap_expect_by(tap, "-", '>', "hello");
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
	tap_expect(tap, child, '>', "mine");
	tap_expect(tap, getpid(), '>', "hello");
}
END_TEST

START_TEST(test_taps_end_when_the_object_is_removed)
{
	int tap;

	channel_make(tap_names[_i]);
	tap = tap_open(tap_names[_i]);
	channel_put(tap_names[_i], "9\n", 2);
	must(unlink(ipc_path(tap_names[_i])));
	tap_expect(tap, getpid(), '>', "9\n");
	tap_expect_end(tap);
	tap_expect_end(tap);
}
END_TEST

START_TEST(test_taps_end_when_an_open_object_is_removed_and_closed)
{
	int tap, fd;

	channel_make(tap_names[_i]);
	tap = tap_open(tap_names[_i]);
	fd = channel_open(tap_names[_i], O_RDWR);
	must(unlink(ipc_path(tap_names[_i])));
	if (_i != TAP_SYSV) { /* that is gone at once: EIDRM */
		must(write(fd, "9\n", 2));
		tap_expect(tap, getpid(), '>', "9\n");
	}
	tap_expect_nothing(tap);
	must(close(fd));
	tap_expect_end(tap);
}
END_TEST

START_TEST(test_taps_end_when_a_queue_is_removed_natively)
{
	int tap, sysv;

	native_make("/q");
	tap = tap_open("queues/q");
	must(mq_unlink("/q"));
	tap_expect_end(tap);
	sysv = (int)must(msgget(KEY, IPC_CREAT | 0600));
	tap = tap_open(tap_names[TAP_SYSV]);
	must(msgctl(sysv, IPC_RMID, NULL));
	tap_expect_end(tap);
}
END_TEST

/* A new object of that name is another one, with another tap. */
START_TEST(test_taps_are_of_one_object)
{
	int taps[2];

	channel_make(tap_names[_i]);
	taps[0] = tap_open(tap_names[_i]);
	must(unlink(ipc_path(tap_names[_i])));
	channel_make(tap_names[_i]);
	taps[1] = tap_open(tap_names[_i]);
	channel_put(tap_names[_i], "9\n", 2);
	tap_expect(taps[1], getpid(), '>', "9\n");
	tap_expect_end(taps[0]);
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
	tap_expect(tap, getpid(), '>', "to you");
	tap_expect(tap, getpid(), '<', "to me");
	tap_expect_nothing(tap);
	must(close(fd));
	ck_assert_int_eq(must(read(peer, &byte, 1)), 0);
	tap_expect_end(tap);
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
	ck_assert_int_eq(child_code_as(OTHER, tap_missing_run, (void *)name), ENOENT);
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

	channel_make(tap_names[_i]);
	talker = child_start(talk_run, (void *)tap_names[_i]);
	for (int i = 0; i < N_TAPS; i++)
		taps[i] = child_start(watch_run, (void *)tap_names[_i]);
	for (int i = 0; i < N_ROUNDS; i++) {
		int one = (int)(random() % N_TAPS);

		nanosleep(&pause, NULL);
		must(kill(taps[one], SIGKILL));
		child_end(taps[one]);
		taps[one] = child_start(watch_run, (void *)tap_names[_i]);
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

int main(void)
{
	Suite *suite = suite_create("taps_ends");
	TCase *tcase = tap_case(suite, "taps");

	tcase_add_loop_test(tcase, test_taps_are_not_there_for_who_may_not_read, 0, TAP_N);
	tcase_add_loop_test(tcase, test_taps_are_read_only_and_not_listed, 0, TAP_N);
	tcase_add_test(tcase, test_taps_show_pids_of_the_own_user_only);
	tcase_add_loop_test(tcase, test_taps_end_when_the_object_is_removed, 0, TAP_N);
	tcase_add_loop_test(tcase, test_taps_end_when_an_open_object_is_removed_and_closed, 0,
			    TAP_N);
	tcase_add_test(tcase, test_taps_end_when_a_queue_is_removed_natively);
	tcase_add_loop_test(tcase, test_taps_are_of_one_object, 0, TAP_N);
	tcase_add_loop_test(tcase, test_taps_of_a_connection_show_both_ways_and_do_not_keep_it, 0,
			    2);
	tcase_add_test(tcase, test_taps_of_a_connection_are_for_its_opener);
	tcase_add_loop_test(tcase, test_taps_killed_at_random_disturb_nobody, 0, TAP_N);
	tcase_add_test(tcase, test_taps_are_limited_for_each_user);
	return suite_run(suite);
}
