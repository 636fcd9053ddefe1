/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a reader of a pipe gets end-of-file: the pipe is empty, nobody has it open for writing, and
 * the reader has seen data or a writer since it opened.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

enum { PIPE_EOF = 1, EOF_AUTO = 0, EOF_NEVER }; /* the kind's second parameter, and its values */

static struct channel *new_pipe(void)
{
	return object_make(fixture_open(&pipe_kind), "p");
}

static void pass_writer(struct channel *pipe, const char *text)
{
	struct file *writer = object_open(pipe, O_WRONLY);

	if (*text)
		file_put(writer, text);
	object_close(writer);
}

static void close_all(struct channel *pipe, struct file *a, struct file *b)
{
	object_close(a);
	object_close(b);
	object_unref(pipe);
}

START_TEST(test_pipe_eof_reader_of_new_pipe_waits)
{
	struct channel *pipe = new_pipe();
	struct file *reader = object_open(pipe, O_RDONLY);

	must_fail(file_try_read(reader, 10), EAGAIN);
	close_all(pipe, reader, NULL);
}
END_TEST

START_TEST(test_pipe_eof_reader_behind_a_writer_that_left_nothing_waits)
{
	struct channel *pipe = new_pipe();
	struct file *reader;

	pass_writer(pipe, "");
	reader = object_open(pipe, O_RDONLY);
	must_fail(file_try_read(reader, 10), EAGAIN);
	close_all(pipe, reader, NULL);
}
END_TEST

START_TEST(test_pipe_eof_reader_waits_while_a_writer_is_there)
{
	struct channel *pipe = new_pipe();
	struct file *writer = object_open(pipe, O_WRONLY);
	struct file *reader = object_open(pipe, O_RDONLY);

	must_fail(file_try_read(reader, 10), EAGAIN);
	close_all(pipe, reader, writer);
}
END_TEST

START_TEST(test_pipe_eof_writer_seen_at_open_leaves_end)
{
	struct channel *pipe = new_pipe();
	struct file *writer = object_open(pipe, O_WRONLY);
	struct file *reader = object_open(pipe, O_RDONLY);

	object_close(writer);
	ck_assert_int_eq(file_try_read(reader, 10), 0);
	close_all(pipe, reader, NULL);
}
END_TEST

START_TEST(test_pipe_eof_writer_that_came_and_went_leaves_end)
{
	struct channel *pipe = new_pipe();
	struct file *reader = object_open(pipe, O_RDONLY);

	pass_writer(pipe, "");
	ck_assert_int_eq(file_try_read(reader, 10), 0);
	close_all(pipe, reader, NULL);
}
END_TEST

START_TEST(test_pipe_eof_comes_behind_data)
{
	struct channel *pipe = new_pipe();
	struct file *reader = object_open(pipe, O_RDONLY);

	pass_writer(pipe, "hello");
	file_expect(reader, 3, "hel");
	file_expect(reader, 10, "lo");
	ck_assert_int_eq(file_try_read(reader, 10), 0);
	close_all(pipe, reader, NULL);
}
END_TEST

START_TEST(test_pipe_eof_comes_behind_data_that_was_there_before)
{
	struct channel *pipe = new_pipe();
	struct file *reader;

	pass_writer(pipe, "hello");
	reader = object_open(pipe, O_RDONLY);
	file_expect(reader, 10, "hello");
	ck_assert_int_eq(file_try_read(reader, 10), 0);
	close_all(pipe, reader, NULL);
}
END_TEST

START_TEST(test_pipe_eof_is_told_again)
{
	struct channel *pipe = new_pipe();
	struct file *reader = object_open(pipe, O_RDONLY);

	pass_writer(pipe, "");
	ck_assert_int_eq(file_try_read(reader, 10), 0);
	ck_assert_int_eq(file_try_read(reader, 10), 0);
	close_all(pipe, reader, NULL);
}
END_TEST

START_TEST(test_pipe_eof_ends_with_next_writer)
{
	struct channel *pipe = new_pipe();
	struct file *reader = object_open(pipe, O_RDONLY);
	struct file *writer;

	pass_writer(pipe, "");
	writer = object_open(pipe, O_WRONLY);
	must_fail(file_try_read(reader, 10), EAGAIN);
	file_put(writer, "more");
	file_expect(reader, 10, "more");
	close_all(pipe, reader, writer);
}
END_TEST

START_TEST(test_pipe_eof_is_for_those_alone_who_have_seen_something)
{
	struct channel *pipe = new_pipe();
	struct file *first, *second;

	pass_writer(pipe, "hello");
	first = object_open(pipe, O_RDONLY);
	second = object_open(pipe, O_RDONLY);
	file_expect(first, 10, "hello");
	ck_assert_int_eq(file_try_read(first, 10), 0);
	must_fail(file_try_read(second, 10), EAGAIN);
	close_all(pipe, first, second);
}
END_TEST

START_TEST(test_pipe_eof_is_not_for_one_that_can_write_itself)
{
	struct channel *pipe = new_pipe();
	struct file *both = object_open(pipe, O_RDWR);

	pass_writer(pipe, "hello");
	file_expect(both, 10, "hello");
	must_fail(file_try_read(both, 10), EAGAIN);
	close_all(pipe, both, NULL);
}
END_TEST

START_TEST(test_pipe_eof_waits_for_the_last_writer)
{
	struct channel *pipe = new_pipe();
	struct file *reader = object_open(pipe, O_RDONLY);
	struct file *a = object_open(pipe, O_WRONLY);
	struct file *b = object_open(pipe, O_WRONLY);

	object_close(a);
	must_fail(file_try_read(reader, 10), EAGAIN);
	object_close(b);
	ck_assert_int_eq(file_try_read(reader, 10), 0);
	close_all(pipe, reader, NULL);
}
END_TEST

START_TEST(test_pipe_eof_comes_behind_handed_data)
{
	struct channel *pipe = new_pipe();
	struct file *reader = object_open(pipe, O_RDONLY);
	struct held held = {0};

	held_read(&held, reader, 10);
	pass_writer(pipe, "hello");
	held_expect(&held, "hello");
	ck_assert_int_eq(file_try_read(reader, 10), 0);
	close_all(pipe, reader, NULL);
}
END_TEST

START_TEST(test_pipe_eof_ends_wait_of_all_readers)
{
	struct channel *pipe = new_pipe();
	struct file *reader = object_open(pipe, O_RDONLY);
	struct held first = {0}, second = {0};

	held_read(&first, reader, 10);
	held_read(&second, reader, 10);
	pass_writer(pipe, "");
	loop_run_tasks(loop);
	held_expect_result(&first, 0);
	held_expect_result(&second, 0);
	close_all(pipe, reader, NULL);
}
END_TEST

START_TEST(test_pipe_eof_of_one_leaves_the_other_waiting)
{
	struct channel *pipe = new_pipe();
	struct file *reader = object_open(pipe, O_RDONLY);
	struct file *both = object_open(pipe, O_RDWR);
	struct held held = {0};

	held_read(&held, reader, 10);
	pass_writer(pipe, "");
	loop_run_tasks(loop);
	ck_assert_uint_eq(held.n, 0); /* `both` could still write */
	transfer_cancel(&held.transfer);
	close_all(pipe, reader, both);
}
END_TEST

START_TEST(test_pipe_eof_is_polled_as_hup)
{
	struct channel *pipe = new_pipe();
	struct file *reader = object_open(pipe, O_RDONLY);
	struct watch watch = {0};

	ck_assert_uint_eq(channel_poll(reader), 0);
	watch_start(&watch, reader);
	pass_writer(pipe, "");
	loop_run_tasks(loop);
	ck_assert_uint_eq(watch.n, 1);
	ck_assert_uint_eq(channel_poll(reader), EPOLLHUP);
	close_all(pipe, reader, NULL);
}
END_TEST

START_TEST(test_pipe_eof_behind_data_is_polled_as_readable)
{
	struct channel *pipe = new_pipe();
	struct file *reader = object_open(pipe, O_RDONLY);

	pass_writer(pipe, "hello");
	ck_assert_uint_eq(channel_poll(reader), EPOLLIN | EPOLLRDNORM);
	close_all(pipe, reader, NULL);
}
END_TEST

static int set_eof(struct channel *pipe, uint64_t value)
{
	struct settings settings = {.given = 1 << PIPE_EOF};

	settings.values[PIPE_EOF] = value;
	return channel_set(pipe, &settings, &root);
}

START_TEST(test_pipe_eof_never_has_no_end)
{
	struct channel *pipe = object_make_set(fixture_open(&pipe_kind), "p", PIPE_EOF, EOF_NEVER);
	struct file *reader = object_open(pipe, O_RDONLY);

	pass_writer(pipe, "hello");
	file_expect(reader, 10, "hello");
	must_fail(file_try_read(reader, 10), EAGAIN);
	ck_assert_uint_eq(channel_poll(reader), 0);
	close_all(pipe, reader, NULL);
}
END_TEST

START_TEST(test_pipe_eof_set_to_auto_ends_wait)
{
	struct channel *pipe = new_pipe();
	struct file *reader = object_open(pipe, O_RDONLY);
	struct held held = {0};

	must(set_eof(pipe, EOF_NEVER));
	pass_writer(pipe, "");
	held_read(&held, reader, 10);
	must(set_eof(pipe, EOF_AUTO));
	loop_run_tasks(loop);
	held_expect_result(&held, 0);
	close_all(pipe, reader, NULL);
}
END_TEST

static void add_waiting_tests(Suite *suite)
{
	suite_add(suite, "waiting",
		  (const TTest *const[]){
			  test_pipe_eof_comes_behind_handed_data,
			  test_pipe_eof_ends_wait_of_all_readers,
			  test_pipe_eof_of_one_leaves_the_other_waiting,
			  test_pipe_eof_is_polled_as_hup,
			  test_pipe_eof_behind_data_is_polled_as_readable,
			  test_pipe_eof_never_has_no_end,
			  test_pipe_eof_set_to_auto_ends_wait,
			  NULL,
		  });
}

int main(void)
{
	Suite *suite = suite_create("pipe_eof");

	suite_add(suite, "rule",
		  (const TTest *const[]){
			  test_pipe_eof_reader_of_new_pipe_waits,
			  test_pipe_eof_reader_behind_a_writer_that_left_nothing_waits,
			  test_pipe_eof_reader_waits_while_a_writer_is_there,
			  test_pipe_eof_writer_seen_at_open_leaves_end,
			  test_pipe_eof_writer_that_came_and_went_leaves_end,
			  test_pipe_eof_comes_behind_data,
			  test_pipe_eof_comes_behind_data_that_was_there_before,
			  test_pipe_eof_is_told_again,
			  test_pipe_eof_ends_with_next_writer,
			  test_pipe_eof_is_for_those_alone_who_have_seen_something,
			  test_pipe_eof_is_not_for_one_that_can_write_itself,
			  test_pipe_eof_waits_for_the_last_writer,
			  NULL,
		  });
	add_waiting_tests(suite);
	return suite_run(suite);
}
