/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Held writes, served one after another. A write may be done in several parts, as there is room for
 * them, but it is finished before the next write begins.
 */
#include <sys/epoll.h>

#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/toy.h"

/* Makes room for `n` bytes and lets writers retry. */
static void make_room(struct toy *toy, size_t n)
{
	toy->room += n;
	channel_wake(&toy->channel, EPOLLOUT);
	loop_run_tasks(loop);
}

START_TEST(test_transfer_writers_room_ends_wait)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_write(&held, file, "hello", 5);
	make_room(toy, 10);
	held_expect_result(&held, 5);
	ck_assert_str_eq(toy->written, "hello");
	ck_assert_ptr_null(toy->channel.writers);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_without_room_wait_on)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_write(&held, file, "hello", 5);
	make_room(toy, 0);
	ck_assert_uint_eq(held.n, 0);
	transfer_cancel(&held.transfer);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_are_not_tried_when_there_is_data)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_write(&held, file, "hello", 5);
	toy->room = 10;
	channel_wake(&toy->channel, EPOLLIN);
	loop_run_tasks(loop);
	ck_assert_uint_eq(held.n, 0);
	transfer_cancel(&held.transfer);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_parts_are_counted)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	toy->room = 1;
	held_write(&held, file, "hello", 5);
	ck_assert_uint_eq(held.transfer.done, 1);
	make_room(toy, 2);
	ck_assert_uint_eq(held.transfer.done, 3);
	ck_assert_uint_eq(held.n, 0);
	make_room(toy, 2);
	held_expect_result(&held, 5);
	ck_assert_str_eq(toy->written, "hello");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_are_not_interleaved)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *a = toy_open(toy);
	struct file *b = toy_open(toy);
	struct held first = {0}, second = {0}, third = {0};

	held_write(&first, a, "aaaa", 4);
	held_write(&second, b, "bbbb", 4);
	held_write(&third, a, "cccc", 4);
	while (strlen(toy->written) < 12)
		make_room(toy, 3);
	ck_assert_str_eq(toy->written, "aaaabbbbcccc");
	held_expect_result(&first, 4);
	held_expect_result(&second, 4);
	held_expect_result(&third, 4);
	toy_close(toy, (struct file *[]){a, b, NULL});
}
END_TEST

START_TEST(test_transfer_writers_of_messages_keep_order)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);
	struct held first = {0}, second = {0};

	held_write(&first, file, "longer", 6);
	held_write(&second, file, "short", 5);
	make_room(toy, 5); /* enough for the second message, but not for the first */
	ck_assert_str_eq(toy->written, "");
	make_room(toy, 6);
	ck_assert_str_eq(toy->written, "longershort");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_of_a_selective_kind_are_all_tried)
{
	struct toy *toy = toy_new(&toy_selective);
	struct file *file = toy_open(toy);
	struct held first = {0}, second = {0};

	held_write(&first, file, "longer", 6);
	held_write(&second, file, "short", 5);
	make_room(toy, 5);
	ck_assert_str_eq(toy->written, "short");
	held_expect_result(&second, 5);
	ck_assert_uint_eq(first.n, 0);
	transfer_cancel(&first.transfer);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_of_a_selective_kind_hold_no_later_one_up)
{
	struct toy *toy = toy_new(&toy_selective);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_write(&held, file, "longer", 6);
	toy->room = 5;
	file_put(file, "short");
	ck_assert_str_eq(toy->written, "short");
	transfer_cancel(&held.transfer);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_error_before_any_byte_is_told)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_write(&held, file, "hello", 5);
	toy->error = -EPIPE;
	make_room(toy, 0);
	held_expect_result(&held, -EPIPE);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_error_after_a_part_gives_short_count)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_write(&held, file, "hello", 5);
	make_room(toy, 2);
	toy->error = -EPIPE;
	make_room(toy, 0);
	held_expect_result(&held, 2);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_failed_one_lets_next_try)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held first = {0}, second = {0};

	held_write(&first, file, "hello", 5);
	held_write(&second, file, "world", 5);
	toy->error = -EPIPE;
	make_room(toy, 0);
	held_expect_result(&first, -EPIPE);
	held_expect_result(&second, -EPIPE);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_cancelled_is_not_told)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_write(&held, file, "hello", 5);
	transfer_cancel(&held.transfer);
	make_room(toy, 10);
	ck_assert_uint_eq(held.n, 0);
	ck_assert_str_eq(toy->written, "");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_cancelled_lets_next_try)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);
	struct held first = {0}, second = {0};

	toy->room = 5;
	held_write(&first, file, "longer", 6);
	held_write(&second, file, "short", 5);
	transfer_cancel(&first.transfer);
	loop_run_tasks(loop);
	held_expect_result(&second, 5);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_cancelled_in_part_tells_how_far_it_was)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_write(&held, file, "hello", 5);
	make_room(toy, 2);
	transfer_cancel(&held.transfer);
	ck_assert_uint_eq(held.transfer.done, 2);
	ck_assert_str_eq(toy->written, "he");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_cancelled_behind_others_changes_nothing)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held first = {0}, second = {0}, third = {0};

	held_write(&first, file, "a", 1);
	held_write(&second, file, "b", 1);
	held_write(&third, file, "c", 1);
	transfer_cancel(&second.transfer);
	make_room(toy, 10);
	ck_assert_str_eq(toy->written, "ac");
	ck_assert_uint_eq(second.n, 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_empty_message_is_written)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);
	struct held first = {0}, empty = {0};

	held_write(&first, file, "x", 1);
	held_write(&empty, file, "", 0);
	make_room(toy, 1);
	held_expect_result(&first, 1);
	held_expect_result(&empty, 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

/* By _i, there is room for the whole write or for a part of it. */
START_TEST(test_transfer_writers_tell_who_waits_to_read)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};
	struct watch watch = {0};

	held_write(&held, file, "hello", 5);
	toy->ready = EPOLLIN;
	watch_start(&watch, file);
	make_room(toy, _i ? 2 : 5);
	ck_assert_uint_eq(watch.n, 1);
	if (!held.n)
		transfer_cancel(&held.transfer);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_writers_wait_for_readers_makes_both_go_on)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held writer = {0}, reader = {0};

	held_write(&writer, file, "hello", 5);
	held_read(&reader, file, 10);
	toy->pieces[0] = "x";
	toy->room = 5;
	channel_wake(&toy->channel, EPOLLIN); /* the held read takes "x", and the writer retries */
	loop_run_tasks(loop);
	held_expect(&reader, "x");
	held_expect_result(&writer, 5);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

static void add_cancel_tests(Suite *suite)
{
	suite_add(suite, "cancel",
		  (const TTest *const[]){
			  test_transfer_writers_cancelled_is_not_told,
			  test_transfer_writers_cancelled_lets_next_try,
			  test_transfer_writers_cancelled_in_part_tells_how_far_it_was,
			  test_transfer_writers_cancelled_behind_others_changes_nothing,
			  NULL,
		  });
}

/* With many waiters, other channels have their turn in between. */
START_TEST(test_transfer_writers_take_several_turns)
{
	enum { N = TRANSFER_TURN + 10 };
	static struct held held[N];
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	unsigned n_done = 0;

	for (int i = 0; i < N; i++)
		held_write(&held[i], file, "x", 1);
	toy->error = -EIO;
	make_room(toy, 0);
	for (int i = 0; i < N; i++)
		n_done += held[i].n;
	ck_assert_uint_eq(n_done, TRANSFER_TURN);
	loop_settle();
	for (int i = 0; i < N; i++)
		held_expect_result(&held[i], -EIO);
	toy->error = 0;
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("transfer_writers");

	suite_add(suite, "order",
		  (const TTest *const[]){
			  test_transfer_writers_room_ends_wait,
			  test_transfer_writers_without_room_wait_on,
			  test_transfer_writers_are_not_tried_when_there_is_data,
			  test_transfer_writers_parts_are_counted,
			  test_transfer_writers_are_not_interleaved,
			  test_transfer_writers_of_messages_keep_order,
			  test_transfer_writers_of_a_selective_kind_are_all_tried,
			  test_transfer_writers_of_a_selective_kind_hold_no_later_one_up,
			  test_transfer_writers_error_before_any_byte_is_told,
			  test_transfer_writers_error_after_a_part_gives_short_count,
			  test_transfer_writers_failed_one_lets_next_try,
			  test_transfer_writers_empty_message_is_written,
			  test_transfer_writers_wait_for_readers_makes_both_go_on,
			  test_transfer_writers_take_several_turns,
			  NULL,
		  });
	add_cancel_tests(suite);
	suite_add_loop(suite, "readers",
		       (const TTest *const[]){
			       test_transfer_writers_tell_who_waits_to_read,
			       NULL,
		       },
		       2);
	return suite_run(suite);
}
