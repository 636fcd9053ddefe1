/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readers and writers of topics that wait: signals end a wait, O_NONBLOCK avoids it and poll tells
 * when it is over. And stopped readers, which stop writers only with full=wait.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"
#include "tests/mount/topics.h"
#include "tests/mount/waiter.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char buf[TOPIC_CAPACITY];

static int read_one(void *arg)
{
	char text[16];
	ssize_t n = read(*(int *)arg, text, sizeof(text));

	return n < 0 ? errno : n == 3 && memcmp(text, "one", 3) == 0 ? 0 : EBADMSG;
}

static int write_one(void *arg)
{
	return write(*(int *)arg, "one", 3) == 3 ? 0 : errno;
}

static int read_one_unless_interrupted(void *arg)
{
	signal_interrupts(SIGUSR1);
	return read_one(arg);
}

static int write_one_unless_interrupted(void *arg)
{
	signal_interrupts(SIGUSR1);
	return write_one(arg);
}

START_TEST(test_topics_waiting_readers_are_woken_by_one_write)
{
	pid_t children[8];
	int out, fd;

	topic_make("");
	out = channel_open(TOPIC, O_WRONLY);
	for (int i = 0; i < 8; i++) {
		fd = channel_open(TOPIC, O_RDONLY);
		children[i] = child_start(read_one, &fd);
		task_must_block(children[i], SYS_read);
		close(fd);
	}
	topic_put(out, "one");
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(child_end(children[i]), 0);
}
END_TEST

START_TEST(test_topics_waiting_reader_is_interrupted_and_loses_nothing)
{
	pid_t child;
	int fd;

	topic_make("");
	fd = channel_open(TOPIC, O_RDONLY);
	child = child_start(read_one_unless_interrupted, &fd);
	task_must_block(child, SYS_read);
	must(kill(child, SIGUSR1));
	ck_assert_int_eq(WEXITSTATUS(child_end(child)), EINTR);
	channel_put(TOPIC, "one", 3);
	child_must(read_one, &fd);
}
END_TEST

START_TEST(test_topics_waiting_writer_is_interrupted_and_sends_nothing)
{
	pid_t child;
	int out, fd;

	topic_make("capacity=4K full=wait");
	out = channel_open(TOPIC, O_WRONLY);
	fd = topic_reader();
	topic_fill(out);
	child = child_start(write_one_unless_interrupted, &out);
	task_must_block(child, SYS_write);
	must(kill(child, SIGUSR1));
	ck_assert_int_eq(WEXITSTATUS(child_end(child)), EINTR);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(must(read(fd, buf, sizeof(buf))), TOPIC_QUARTER);
	topic_expect_nothing(fd);
	child_must(write_one, &out);
	topic_expect(fd, "one");
}
END_TEST

START_TEST(test_topics_full_wait_with_o_nonblock_eagain)
{
	int out, fd;

	topic_make("capacity=4K full=wait");
	out = channel_open(TOPIC, O_WRONLY | O_NONBLOCK);
	topic_fill(out);
	fd = topic_reader();
	topic_fill(out);
	must_fail(write(out, "one", 3), EAGAIN);
	must(read(fd, buf, sizeof(buf)));
	topic_put(out, "one");
}
END_TEST

static int read_for_ever(void *arg)
{
	char data[TOPIC_CAPACITY];
	int fd = open(ipc_path(TOPIC), O_RDONLY);

	(void)arg;
	while (read(fd, data, sizeof(data)) > 0)
		;
	return errno;
}

static bool has_reader(void *arg)
{
	(void)arg;
	return look_for(TOPIC, "readers") > 0;
}

static pid_t start_stopped_reader(void)
{
	pid_t child = child_start(read_for_ever, NULL);

	ck_assert(wait_until(has_reader, NULL, 5000));
	task_must_block(child, SYS_read);
	must(kill(child, SIGSTOP));
	return child;
}

START_TEST(test_topics_stopped_reader_stops_no_writer_that_drops)
{
	pid_t child;
	int out;

	topic_make(_i ? "capacity=4K full=drop-newest" : "capacity=4K full=drop-oldest");
	out = channel_open(TOPIC, O_WRONLY);
	child = start_stopped_reader();
	for (int i = 0; i < 25; i++)
		topic_fill(out);
	ck_assert_int_eq(look_for(TOPIC, "sent"), 100);
	must(kill(child, SIGKILL));
	child_end(child);
}
END_TEST

START_TEST(test_topics_stopped_reader_stops_a_writer_until_it_is_killed)
{
	pid_t reader, writer;
	int out;

	topic_make("capacity=4K full=wait");
	out = channel_open(TOPIC, O_WRONLY | O_NONBLOCK);
	reader = start_stopped_reader();
	while (write(out, buf, TOPIC_QUARTER) > 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
	out = channel_open(TOPIC, O_WRONLY);
	writer = child_start(write_one, &out);
	task_must_block(writer, SYS_write);
	must(kill(reader, SIGKILL));
	child_end(reader);
	ck_assert_int_eq(child_end(writer), 0);
}
END_TEST

START_TEST(test_topics_poll_tells_of_messages)
{
	struct waiter waiter;
	int fd, other;

	topic_make("");
	fd = topic_reader();
	other = topic_reader();
	waiter_start(&waiter, fd, POLLIN, _i);
	channel_put(TOPIC, "one", 3);
	ck_assert_int_eq(waiter_end(&waiter), POLLIN);
	topic_expect(fd, "one");
	waiter_start(&waiter, fd, POLLIN, _i);
	topic_expect(other, "one");
	channel_put(TOPIC, "two", 3);
	ck_assert_int_eq(waiter_end(&waiter), POLLIN);
}
END_TEST

START_TEST(test_topics_poll_tells_of_room)
{
	struct waiter waiter;
	int out, fast, slow;

	topic_make("capacity=4K full=wait");
	out = channel_open(TOPIC, O_WRONLY | O_NONBLOCK);
	fast = topic_reader();
	slow = topic_reader();
	topic_fill(out);
	waiter_start(&waiter, out, POLLOUT, _i);
	ck_assert_int_eq(must(read(fast, buf, sizeof(buf))), TOPIC_QUARTER);
	ck_assert_int_eq(poll(&(struct pollfd){.fd = out, .events = POLLOUT}, 1, 0), 0);
	ck_assert_int_eq(must(read(slow, buf, sizeof(buf))), TOPIC_QUARTER);
	ck_assert_int_eq(waiter_end(&waiter), POLLOUT);
	ck_assert_int_eq(must(write(out, buf, TOPIC_QUARTER)), TOPIC_QUARTER);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("topics_waiting");
	TCase *tcase = suite_case(suite, "topics", 30);

	tcase_add_test(tcase, test_topics_waiting_readers_are_woken_by_one_write);
	tcase_add_test(tcase, test_topics_waiting_reader_is_interrupted_and_loses_nothing);
	tcase_add_test(tcase, test_topics_waiting_writer_is_interrupted_and_sends_nothing);
	tcase_add_test(tcase, test_topics_full_wait_with_o_nonblock_eagain);
	tcase_add_loop_test(tcase, test_topics_stopped_reader_stops_no_writer_that_drops, 0, 2);
	tcase_add_test(tcase, test_topics_stopped_reader_stops_a_writer_until_it_is_killed);
	tcase_add_loop_test(tcase, test_topics_poll_tells_of_messages, 0, N_METHODS);
	tcase_add_loop_test(tcase, test_topics_poll_tells_of_room, 0, N_METHODS);
	return suite_run(suite);
}
