/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which end of a kept FIFO waits for the other, and what the two learn of each other. A writer
 * needs no reader, a reader of waiting data needs no writer, and the end-of-file comes from the
 * kernel. With eof=never there is no end-of-file.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/kept.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_NAME "pipes/p"

/* SOME: more than a page, and not a multiple of one. */
enum { SOME = 10000 };

static const char *pipe_path(void)
{
	return ipc_path(PIPE_NAME);
}

/* Opens the FIFO, writes this many bytes and closes it, like a program that does nothing else. */
static void put(size_t size, char value)
{
	static char data[KEPT_CAPACITY];

	memset(data, value, size);
	channel_put(PIPE_NAME, data, size);
}

static int read_to_end_run(void *arg)
{
	char buf[4096];
	ssize_t n = 1;
	int fd = open(pipe_path(), O_RDONLY);

	(void)arg;
	if (fd < 0)
		return errno;
	while (n > 0)
		n = read(fd, buf, sizeof(buf));
	return n < 0 ? errno : 0;
}

static int write_much_run(void *arg)
{
	static char data[KEPT_CAPACITY];
	int fd = open(pipe_path(), O_WRONLY);

	(void)arg;
	signal(SIGPIPE, SIG_DFL);
	return fd < 0 || write(fd, data, sizeof(data)) != sizeof(data) ? errno : 0;
}

START_TEST(test_ends_writer_needs_no_reader)
{
	kept_make(PIPE_NAME);
	put(SOME, 'a');
	put(SOME, 'a');
	ck_assert_uint_eq(kept_take_to_end(pipe_path(), 'a'), 2 * SOME);
}
END_TEST

START_TEST(test_ends_holds_a_mebibyte)
{
	kept_make(PIPE_NAME);
	ck_assert_uint_eq(channel_fill(PIPE_NAME), KEPT_CAPACITY);
	ck_assert_uint_eq(kept_take_to_end(pipe_path(), 0), KEPT_CAPACITY);
}
END_TEST

START_TEST(test_ends_readers_come_and_go_writer_gets_no_signal)
{
	int writer;

	kept_make(PIPE_NAME);
	signal(SIGPIPE, SIG_DFL);
	writer = kept_writer(pipe_path());
	for (int i = 0; i < 100; i++) {
		int reader = channel_open(PIPE_NAME, O_RDONLY);
		char byte;

		ck_assert_int_eq(must(write(writer, "xy", 2)), 2);
		ck_assert_int_eq(must(read(reader, &byte, 1)), 1);
		must(close(reader));
	}
	must(close(writer));
	ck_assert_int_eq(channel_drain(PIPE_NAME), 100);
}
END_TEST

START_TEST(test_ends_last_reader_leaves_waiting_writer_stays)
{
	pid_t pid;
	int reader;

	kept_make(PIPE_NAME);
	reader = kept_reader(pipe_path());
	channel_fill(PIPE_NAME);
	pid = child_start(write_much_run, NULL);
	task_must_block(pid, SYS_write);
	must(close(reader));
	task_must_block(pid, SYS_write);
	ck_assert_uint_eq(kept_take_to_end(pipe_path(), 0), 2 * KEPT_CAPACITY);
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

START_TEST(test_ends_empty_reader_waits_in_open_until_a_writer_comes)
{
	pid_t pids[3];

	kept_make(PIPE_NAME);
	for (int i = 0; i < 3; i++) {
		pids[i] = child_start(read_to_end_run, NULL);
		task_must_wait_for_partner(pids[i]);
	}
	put(1, 'a');
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(child_end(pids[i]), 0);
}
END_TEST

/* The FIFO has been read empty before: its readers wait just as they do on a new FIFO. */
START_TEST(test_ends_reader_that_waits_in_open_is_interruptible)
{
	static const int signals[] = {SIGINT, SIGKILL};
	int status;
	pid_t pid;

	kept_make(PIPE_NAME);
	put(1, 'a');
	kept_take_to_end(pipe_path(), 'a');
	pid = child_start(read_to_end_run, NULL);
	task_must_wait_for_partner(pid);
	must(kill(pid, signals[_i]));
	status = child_end(pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == signals[_i], "wait status %#x",
		      status);
	put(SOME, 'b');
	ck_assert_uint_eq(kept_take_to_end(pipe_path(), 'b'), SOME);
}
END_TEST

START_TEST(test_ends_no_end_of_file_while_another_writes)
{
	int writers[2], reader;
	char byte;

	kept_make(PIPE_NAME);
	reader = kept_reader(pipe_path());
	for (int i = 0; i < 2; i++)
		writers[i] = kept_writer(pipe_path());
	must(fcntl(reader, F_SETFL, O_NONBLOCK));
	must(close(writers[0]));
	must_fail(read(reader, &byte, 1), EAGAIN);
	must(fcntl(reader, F_SETFL, 0));
	must(close(writers[1]));
	ck_assert_int_eq(must(read(reader, &byte, 1)), 0);
}
END_TEST

START_TEST(test_ends_writer_that_writes_nothing_ends_a_reader)
{
	pid_t pid;

	kept_make(PIPE_NAME);
	pid = child_start(read_to_end_run, NULL);
	task_must_wait_for_partner(pid);
	must(close(channel_open(PIPE_NAME, O_WRONLY)));
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

START_TEST(test_ends_opened_for_both_has_no_end)
{
	int both;
	char byte;

	kept_make(PIPE_NAME);
	both = channel_open(PIPE_NAME, O_RDWR | O_NONBLOCK);
	must_fail(read(both, &byte, 1), EAGAIN);
	put(1, 'a');
	ck_assert_int_eq(must(read(both, &byte, 1)), 1);
	must_fail(read(both, &byte, 1), EAGAIN);
	ck_assert_int_eq(must(write(both, "b", 1)), 1);
	ck_assert_int_eq(channel_take(PIPE_NAME, &byte, 1), 1);
	must(close(both));
	ck_assert_int_eq(channel_take(PIPE_NAME, &byte, 1), 0);
}
END_TEST

START_TEST(test_ends_nonblocking_reader)
{
	char byte;
	int reader, writer;

	kept_make(PIPE_NAME);
	reader = channel_open(PIPE_NAME, O_RDONLY | O_NONBLOCK);
	ck_assert_int_eq(must(read(reader, &byte, 1)), 0);
	writer = channel_open(PIPE_NAME, O_WRONLY);
	must_fail(read(reader, &byte, 1), EAGAIN);
	ck_assert_int_eq(must(write(writer, "a", 1)), 1);
	ck_assert_int_eq(must(read(reader, &byte, 1)), 1);
	must_fail(read(reader, &byte, 1), EAGAIN);
	must(close(writer));
	ck_assert_int_eq(must(read(reader, &byte, 1)), 0);
}
END_TEST

START_TEST(test_ends_nonblocking_writer)
{
	static char data[2 * KEPT_CAPACITY];
	int writer;

	kept_make(PIPE_NAME);
	writer = channel_open(PIPE_NAME, O_WRONLY | O_NONBLOCK);
	ck_assert_int_eq(must(write(writer, data, sizeof(data))), KEPT_CAPACITY);
	must_fail(write(writer, data, 1), EAGAIN);
	must(close(writer));
	ck_assert_uint_eq(kept_take_to_end(pipe_path(), 0), KEPT_CAPACITY);
}
END_TEST

START_TEST(test_ends_full_writer_is_interruptible)
{
	pid_t pid;

	kept_make(PIPE_NAME);
	channel_fill(PIPE_NAME);
	pid = child_start(write_much_run, NULL);
	task_must_block(pid, SYS_write);
	must(kill(pid, SIGINT));
	ck_assert_int_eq(WTERMSIG(child_end(pid)), SIGINT);
	ck_assert_uint_eq(kept_take_to_end(pipe_path(), 0), KEPT_CAPACITY);
}
END_TEST

static void make_never(void)
{
	look_command("create " PIPE_NAME " eof=never");
}

START_TEST(test_ends_never_reader_does_not_wait_in_open)
{
	char byte;
	int reader;

	make_never();
	reader = channel_open(PIPE_NAME, O_RDONLY);
	must(fcntl(reader, F_SETFL, O_NONBLOCK));
	for (int i = 0; i < 10; i++) {
		must_fail(read(reader, &byte, 1), EAGAIN);
		put(1, 'a');
		ck_assert_int_eq(must(read(reader, &byte, 1)), 1);
	}
	kept_await_held(PIPE_NAME, "both");
}
END_TEST

START_TEST(test_ends_never_waiting_reader_ends_when_that_is_set)
{
	pid_t pid;

	make_never();
	pid = child_start(read_to_end_run, NULL);
	task_must_block(pid, SYS_read);
	put(SOME, 'a');
	task_must_block(pid, SYS_read);
	look_command("set " PIPE_NAME " eof=auto");
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

START_TEST(test_ends_never_set_on_one_that_is_there)
{
	pid_t pid;

	kept_make(PIPE_NAME);
	look_command("set " PIPE_NAME " eof=never");
	pid = child_start(read_to_end_run, NULL);
	task_must_block(pid, SYS_read);
	must(kill(pid, SIGINT));
	ck_assert_int_eq(WTERMSIG(child_end(pid)), SIGINT);
}
END_TEST

/*
 * One of many processes that open a missing name at the same time. One of them makes the FIFO, and
 * no byte is lost.
 */
static int create_run(void *arg)
{
	int fd = open(pipe_path(), O_WRONLY | O_CREAT | O_APPEND, 0666);

	return fd < 0 || write(fd, arg, 1) != 1 ? errno : 0;
}

START_TEST(test_ends_many_make_it_at_once)
{
	enum { N_MAKERS = 8 };
	pid_t pids[N_MAKERS];

	for (int round = 0; round < 20; round++) {
		for (int i = 0; i < N_MAKERS; i++)
			pids[i] = child_start(create_run, (void *)"a");
		for (int i = 0; i < N_MAKERS; i++)
			ck_assert_int_eq(child_end(pids[i]), 0);
		ck_assert_uint_eq(kept_take_to_end(pipe_path(), 'a'), N_MAKERS);
		must(unlink(pipe_path()));
	}
}
END_TEST

static void add_waiting(TCase *tcase)
{
	kept_add(tcase, test_ends_writer_needs_no_reader);
	kept_add(tcase, test_ends_holds_a_mebibyte);
	kept_add(tcase, test_ends_readers_come_and_go_writer_gets_no_signal);
	kept_add(tcase, test_ends_last_reader_leaves_waiting_writer_stays);
	kept_add(tcase, test_ends_empty_reader_waits_in_open_until_a_writer_comes);
	kept_add_loop(tcase, test_ends_reader_that_waits_in_open_is_interruptible, 2);
	kept_add(tcase, test_ends_no_end_of_file_while_another_writes);
	kept_add(tcase, test_ends_writer_that_writes_nothing_ends_a_reader);
	kept_add(tcase, test_ends_full_writer_is_interruptible);
	kept_add(tcase, test_ends_many_make_it_at_once);
}

int main(void)
{
	Suite *suite = suite_create("kept_ends");
	TCase *tcase = suite_case(suite, "waiting", 30);

	add_waiting(tcase);
	tcase = suite_case(suite, "flags", 30);
	kept_add(tcase, test_ends_opened_for_both_has_no_end);
	kept_add(tcase, test_ends_nonblocking_reader);
	kept_add(tcase, test_ends_nonblocking_writer);
	tcase = suite_case(suite, "never", 30);
	kept_add(tcase, test_ends_never_reader_does_not_wait_in_open);
	kept_add(tcase, test_ends_never_waiting_reader_ends_when_that_is_set);
	kept_add(tcase, test_ends_never_set_on_one_that_is_there);
	return suite_run(suite);
}
