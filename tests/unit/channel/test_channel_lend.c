/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads that are first lent the data, and then take it.
 */
#include <sys/epoll.h>

#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/toy.h"

static void expect(const struct pieces *pieces, int index, const char *text)
{
	ck_assert_int_lt(index, pieces->n);
	ck_assert_uint_eq(pieces->iov[index].iov_len, strlen(text));
	ck_assert_mem_eq(pieces->iov[index].iov_base, text, strlen(text));
}

START_TEST(test_channel_lend_takes_nothing)
{
	struct toy *toy = toy_new(&toy_lending);
	struct file *file = toy_open(toy);
	struct pieces pieces;

	toy->pieces[0] = "one";
	toy->pieces[1] = "two";
	ck_assert_int_eq(channel_lend(file, 100, 0, &pieces), 6);
	ck_assert_int_eq(pieces.n, 2);
	expect(&pieces, 0, "one");
	expect(&pieces, 1, "two");
	ck_assert_int_eq(channel_lend(file, 4, 0, &pieces), 4);
	expect(&pieces, 1, "t");
	channel_take(file, &pieces);
	file_expect(file, 100, "wo");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

/*
 * Writers are woken when the reader takes the data, which makes room, and not when the data is
 * lent.
 */
START_TEST(test_channel_lend_wakes_writers_when_it_takes)
{
	struct toy *toy = toy_new(&toy_lending);
	struct file *file = toy_open(toy);
	struct held held = {0};
	struct pieces pieces;

	toy->pieces[0] = "one";
	held_write(&held, file, "new", 3);
	ck_assert_int_eq(channel_lend(file, 100, 0, &pieces), 3);
	toy->room = 3;
	loop_run_tasks(loop);
	ck_assert_uint_eq(held.n, 0);
	channel_take(file, &pieces);
	loop_run_tasks(loop);
	held_expect_result(&held, 3);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_lend_of_nothing_takes_nothing)
{
	struct toy *toy = toy_new(&toy_lending);
	struct file *file = toy_open(toy);
	struct pieces pieces;

	must_fail(channel_lend(file, 100, 0, &pieces), EAGAIN);
	channel_take(file, &pieces);
	toy->has_end = true;
	ck_assert_int_eq(channel_lend(file, 100, 0, &pieces), 0);
	channel_take(file, &pieces);
	ck_assert_uint_eq(toy->n_takes, 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

/*
 * If the kind has no lend(), channel_lend() reads instead: that consumes the data at once, without
 * channel_take(), and gives one piece.
 */
START_TEST(test_channel_lend_of_a_kind_that_only_reads_reads)
{
	struct toy *toy = toy_new(_i ? &toy_message : &toy_stream);
	struct file *file = toy_open(toy);
	struct pieces pieces;

	toy->pieces[0] = "hello";
	toy->pieces[1] = "world";
	ck_assert_int_eq(channel_lend(file, 100, 0, &pieces), 5);
	ck_assert_int_eq(pieces.n, 1);
	expect(&pieces, 0, "hello");
	channel_take(file, &pieces);
	file_expect(file, 100, "world");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

/*
 * If a channel's data can't be lent, channel_lend() reads instead. So a kind can have channels of
 * both sorts.
 */
START_TEST(test_channel_lend_that_can_not_reads)
{
	struct toy *toy = toy_new(&toy_lending);
	struct file *file = toy_open(toy);
	struct pieces pieces;

	toy->is_hidden = true;
	toy->pieces[0] = "hello";
	ck_assert_int_eq(channel_lend(file, 100, 0, &pieces), 5);
	expect(&pieces, 0, "hello");
	channel_take(file, &pieces);
	ck_assert_uint_eq(toy->n_takes, 0);
	must_fail(file_try_read(file, 100), EAGAIN);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("channel_lend");

	suite_add(suite, "lend",
		  (const TTest *const[]){
			  test_channel_lend_takes_nothing,
			  test_channel_lend_wakes_writers_when_it_takes,
			  test_channel_lend_of_nothing_takes_nothing,
			  test_channel_lend_that_can_not_reads,
			  NULL,
		  });
	suite_add_loop(suite, "read",
		       (const TTest *const[]){
			       test_channel_lend_of_a_kind_that_only_reads_reads,
			       NULL,
		       },
		       2);
	return suite_run(suite);
}
