/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taps: info/KIND/NAME/tap shows what passes through the mount, and who it was, without taking
 * anything or making anyone wait.
 */
#include "tests/mount/channels.h"
#include "tests/mount/process.h"
#include "tests/mount/sockets.h"
#include "tests/mount/taps.h"
#include "tests/mount/waiter.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1 << 20 };

START_TEST(test_taps_show_who_writes_and_who_reads)
{
	int tap;

	channel_make(tap_names[_i]);
	tap = tap_open(tap_names[_i]);
	for (int i = 0; i < 3; i++) {
		pid_t writer = tap_run(tap_put_run, tap_names[_i]);
		pid_t reader = tap_run(tap_take_run, tap_names[_i]);

		tap_expect(tap, writer, '>', "42\n");
		tap_expect(tap, reader, '<', "42\n");
	}
	tap_expect_nothing(tap);
}
END_TEST

/* The reader is there first, and is answered straight from the writer's bytes. */
START_TEST(test_taps_show_a_waiting_reader_after_the_writer)
{
	pid_t reader, writer;
	int tap;

	channel_make(tap_names[_i]);
	tap = tap_open(tap_names[_i]);
	reader = child_start(tap_take_run, (void *)tap_names[_i]);
	task_must_block(reader, SYS_read);
	mount_settle(&ipc);
	writer = tap_run(tap_put_run, tap_names[_i]);
	ck_assert_int_eq(child_end(reader), 0);
	tap_expect(tap, writer, '>', "42\n");
	tap_expect(tap, reader, '<', "42\n");
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
	channel_make(tap_names[_i]);
	channel_fill(tap_names[_i]);
	tap = tap_open(tap_names[_i]);
	writer = child_start(tap_put_run, (void *)tap_names[_i]);
	task_must_block(writer, SYS_write);
	mount_settle(&ipc);
	must(channel_take(tap_names[_i], buf, MESSAGE_MAX));
	ck_assert_int_eq(child_end(writer), 0);
	tap_take(tap, buf, tap_take_header(tap, pid, '<') + 1);
	tap_expect(tap, writer, '>', "42\n");
	tap_expect_nothing(tap);
}
END_TEST

/* Reads 3 bytes, and ends at once. */
static void *take_in_thread(void *fd)
{
	char buf[3];

	return (void *)(intptr_t)read(*(int *)fd, buf, sizeof(buf));
}

/* Whether the reader waits first, or comes when there is something. */
START_TEST(test_taps_show_the_process_of_a_thread_that_ends)
{
	const char *name = tap_names[_i];
	pthread_t thread;
	int tap, fd;

	channel_make(name);
	tap = tap_open(name);
	fd = channel_open(name, O_RDWR);
	for (int i = 0; i < 20; i++) {
		void *n = NULL;

		if (i % 2)
			channel_put(name, "42\n", 3);
		ck_assert_int_eq(pthread_create(&thread, NULL, take_in_thread, &fd), 0);
		if (i % 2 == 0)
			channel_put(name, "42\n", 3);
		ck_assert_int_eq(pthread_join(thread, &n), 0);
		ck_assert_int_eq((intptr_t)n, 3);
		tap_expect(tap, getpid(), '>', "42\n");
		tap_expect(tap, getpid(), '<', "42\n");
	}
}
END_TEST

/* Each reader of a topic reads the same. A message without any reader has passed, too. */
START_TEST(test_taps_of_a_topic_show_each_message_once)
{
	pid_t writers[2];
	int tap, reader;

	channel_make("topics/t");
	tap = tap_open("topics/t");
	writers[0] = tap_run(tap_put_run, "topics/t");
	reader = channel_open("topics/t", O_RDONLY);
	channel_open("topics/t", O_RDONLY);
	writers[1] = tap_run(tap_put_run, "topics/t");
	must_read(reader, "42\n");
	tap_expect(tap, writers[0], '>', "42\n");
	tap_expect(tap, writers[1], '>', "42\n");
	tap_expect_nothing(tap);
	must(unlink(ipc_path("topics/t")));
	tap_expect_nothing(tap);
	must(close(reader));
}
END_TEST

START_TEST(test_taps_take_nothing)
{
	char buf[8];

	channel_make(tap_names[_i]);
	tap_open(tap_names[_i]);
	channel_put(tap_names[_i], "7\n", 2);
	ck_assert_int_eq(must(channel_take(tap_names[_i], buf, sizeof(buf))), 2);
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
	tap_expect(tap, getpid(), '>', "abc");
	tap_expect(tap, getpid(), '<', "abc");
	tap_expect_nothing(tap);
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
	tap_expect(tap, getpid(), '>', "8\n");
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
		size_t n = tap_take_header(tap, pid, '>');

		ck_assert_uint_le(size + n, MIB);
		tap_take(tap, shown + size, n + 1);
		size += n;
	}
	ck_assert_mem_eq(sent, shown, MIB);
}
END_TEST

START_TEST(test_taps_wait_and_are_polled)
{
	struct waiter waiter;
	int tap;

	channel_make("queues/q");
	tap = tap_open("queues/q");
	tap_expect_nothing(tap);
	waiter_start(&waiter, tap, POLLIN, _i);
	channel_put("queues/q", "hello", 5);
	ck_assert_int_eq(waiter_end(&waiter) & POLLIN, POLLIN);
	tap_expect(tap, getpid(), '>', "hello");
	tap_expect_nothing(tap);
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
	tap_take_line(tap, line, sizeof(line));
	ck_assert_int_eq(sscanf(line, "missed %lu", &missed), 1);
	for (; missed + got < 2 * N; got++) {
		tap_take_line(tap, line, sizeof(line));
		tap_take(tap, buf, SIZE + 1);
	}
	tap_expect_nothing(tap);
	ck_assert_uint_gt(got, SHARED / SIZE / 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("taps");
	TCase *tcase = tap_case(suite, "taps");

	tcase_add_loop_test(tcase, test_taps_show_who_writes_and_who_reads, 0, TAP_N);
	tcase_add_loop_test(tcase, test_taps_show_a_waiting_reader_after_the_writer, 0, TAP_N);
	tcase_add_loop_test(tcase, test_taps_show_a_waiting_writer_when_it_has_written, 0,
			    TAP_EVENT);
	tcase_add_test(tcase, test_taps_of_a_topic_show_each_message_once);
	tcase_add_loop_test(tcase, test_taps_take_nothing, 0, TAP_N);
	tcase_add_test(tcase, test_taps_show_a_message_read_in_part_once);
	tcase_add_test(tcase, test_taps_show_the_process_of_a_thread);
	tcase_add_loop_test(tcase, test_taps_show_the_process_of_a_thread_that_ends, 0, TAP_N);
	tcase_add_test(tcase, test_taps_show_every_byte);
	tcase_add_loop_test(tcase, test_taps_wait_and_are_polled, 0, N_METHODS);
	tcase_add_test(tcase, test_taps_are_interrupted);
	tcase_add_test(tcase, test_taps_say_what_they_missed);
	return suite_run(suite);
}
