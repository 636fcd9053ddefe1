/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages that have to be acknowledged: the kind is told once of each message, when its last byte
 * has reached a reader, or when one never will.
 */
#include <sys/epoll.h>

#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/toy.h"

static void expect_told(const struct toy *toy, unsigned n_given, unsigned n_lost)
{
	ck_assert_uint_eq(toy->n_given, n_given);
	ck_assert_uint_eq(toy->n_lost, n_lost);
}

/* Reads, and says that the reader was answered. */
static void read_answered(struct file *file, size_t size, const char *text)
{
	struct pieces pieces;
	ssize_t n = must(channel_lend(file, size, 0, &pieces));

	ck_assert_uint_eq((size_t)n, strlen(text));
	ck_assert_mem_eq(pieces.iov[0].iov_base, text, (size_t)n);
	channel_take(file, &pieces);
}

START_TEST(test_channel_finished_whole_message_is_given_once)
{
	struct toy *toy = toy_new(&toy_acknowledged);
	struct file *file = toy_open(toy);

	toy->pieces[0] = "one";
	read_answered(file, 200, "one");
	expect_told(toy, 1, 0);
	must_fail(file_try_read(file, 200), EAGAIN);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_finished_part_is_not_given_until_last_byte)
{
	struct toy *toy = toy_new(&toy_acknowledged);
	struct file *file = toy_open(toy);

	toy->pieces[0] = "abc";
	read_answered(file, 1, "a");
	read_answered(file, 1, "b");
	expect_told(toy, 0, 0);
	read_answered(file, 1, "c");
	expect_told(toy, 1, 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_finished_closed_in_the_middle_is_lost)
{
	struct toy *toy = toy_new(&toy_acknowledged);
	struct file *file = toy_open(toy);

	toy->pieces[0] = "abc";
	read_answered(file, 1, "a");
	channel_release(file);
	expect_told(toy, 0, 1);
	toy_close(toy, (struct file *[]){NULL});
}
END_TEST

START_TEST(test_channel_finished_unanswered_read_loses_rest_too)
{
	struct toy *toy = toy_new(&toy_acknowledged);
	struct file *file = toy_open(toy);
	struct pieces pieces;

	toy->pieces[0] = "abc";
	must(channel_lend(file, 1, 0, &pieces));
	channel_given(file, false);
	expect_told(toy, 0, 1);
	must_fail(file_try_read(file, 200), EAGAIN);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_finished_held_reader_is_given)
{
	struct toy *toy = toy_new(&toy_acknowledged);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_read(&held, file, 200);
	toy->pieces[0] = "one";
	channel_wake(&toy->channel, EPOLLIN);
	loop_run_tasks(loop);
	held_expect(&held, "one");
	expect_told(toy, 1, 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_finished_held_reader_that_has_gone_loses_it)
{
	struct toy *toy = toy_new(&toy_acknowledged);
	struct file *file = toy_open(toy);
	struct held held = {.is_deaf = true};

	held_read(&held, file, 2);
	toy->pieces[0] = "abc";
	channel_wake(&toy->channel, EPOLLIN);
	loop_run_tasks(loop);
	expect_told(toy, 0, 1);
	must_fail(file_try_read(file, 200), EAGAIN);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_finished_other_kinds_keep_rest)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);
	struct pieces pieces;

	toy->pieces[0] = "abc";
	must(channel_lend(file, 1, 0, &pieces));
	channel_given(file, false);
	file_expect(file, 200, "bc");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("channel_finished");

	suite_add(suite, "finished",
		  (const TTest *const[]){
			  test_channel_finished_whole_message_is_given_once,
			  test_channel_finished_part_is_not_given_until_last_byte,
			  test_channel_finished_closed_in_the_middle_is_lost,
			  test_channel_finished_unanswered_read_loses_rest_too,
			  test_channel_finished_held_reader_is_given,
			  test_channel_finished_held_reader_that_has_gone_loses_it,
			  test_channel_finished_other_kinds_keep_rest,
			  NULL,
		  });
	return suite_run(suite);
}
