/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Held reads and writes: the order in which they are served, the results that they get, and how
 * they are cancelled. The toy never wakes by itself, so every retry is one that the test asks for.
 */
#include <stdlib.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/toy.h"

static void wake(struct toy *toy, uint32_t events)
{
	channel_wake(&toy->channel, events);
	loop_run_tasks(loop);
}

START_TEST(test_transfer_reader_gets_what_comes)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_read(&held, file, 3);
	toy->pieces[0] = "hello";
	wake(toy, EPOLLIN);
	held_expect(&held, "hel");
	ck_assert_ptr_null(toy->channel.readers);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_reader_of_nothing_waits_on)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_read(&held, file, 3);
	wake(toy, EPOLLIN);
	ck_assert_uint_eq(held.n, 0);
	ck_assert_ptr_eq(toy->channel.readers, &held.transfer);
	transfer_cancel(&held.transfer);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_reader_is_told_of_error)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_read(&held, file, 3);
	toy->error = -EIO;
	wake(toy, EPOLLIN);
	held_expect_result(&held, -EIO);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_reader_is_not_tried_when_there_is_room)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_read(&held, file, 3);
	toy->pieces[0] = "hello";
	wake(toy, EPOLLOUT);
	ck_assert_uint_eq(held.n, 0);
	transfer_cancel(&held.transfer);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_readers_are_served_in_order)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *a = toy_open(toy);
	struct file *b = toy_open(toy);
	struct held first = {0}, second = {0}, third = {0};

	held_read(&first, a, 200);
	held_read(&second, b, 200);
	held_read(&third, a, 200);
	toy->pieces[0] = "one";
	toy->pieces[1] = "two";
	wake(toy, EPOLLIN);
	held_expect(&first, "one");
	held_expect(&second, "two");
	ck_assert_uint_eq(third.n, 0);
	transfer_cancel(&third.transfer);
	toy_close(toy, (struct file *[]){a, b, NULL});
}
END_TEST

START_TEST(test_transfer_readers_behind_one_who_waits_are_not_tried)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held first = {0}, second = {0};

	held_read(&first, file, 3);
	held_read(&second, file, 3);
	toy->n_reads = 0;
	wake(toy, EPOLLIN);
	ck_assert_uint_eq(toy->n_reads, 1);
	transfer_cancel(&first.transfer);
	transfer_cancel(&second.transfer);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

/*
 * The rest of a message goes to the next reader of the same file, even if a reader of another file
 * waits before it.
 */
START_TEST(test_transfer_readers_with_a_rest_are_served_behind_one_who_waits)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *a = toy_open(toy);
	struct file *b = toy_open(toy);
	struct held first = {0}, waiting = {0}, second = {0};

	held_read(&first, b, 2);
	held_read(&waiting, a, 200);
	held_read(&second, b, 200);
	toy->pieces[0] = "abcdef";
	wake(toy, EPOLLIN);
	held_expect(&first, "ab");
	ck_assert_uint_eq(waiting.n, 0);
	held_expect(&second, "cdef");
	transfer_cancel(&waiting.transfer);
	toy_close(toy, (struct file *[]){a, b, NULL});
}
END_TEST

START_TEST(test_transfer_readers_of_a_selective_kind_are_all_tried)
{
	struct toy *toy = toy_new(&toy_selective);
	struct file *a = object_open_selected(&toy->channel, 0, 'a');
	struct file *b = object_open_selected(&toy->channel, 0, 'b');
	struct held first = {0}, second = {0};

	held_read(&first, a, 200);
	held_read(&second, b, 200);
	toy->pieces[0] = "b for the second";
	wake(toy, EPOLLIN);
	ck_assert_uint_eq(first.n, 0);
	held_expect(&second, "b for the second");
	transfer_cancel(&first.transfer);
	toy_close(toy, (struct file *[]){a, b, NULL});
}
END_TEST

START_TEST(test_transfer_readers_are_all_told_of_the_end)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held first = {0}, second = {0};

	held_read(&first, file, 3);
	held_read(&second, file, 3);
	toy->has_end = true;
	wake(toy, EPOLLHUP);
	held_expect_result(&first, 0);
	held_expect_result(&second, 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

/* With many waiters, other channels have their turn in between. */
START_TEST(test_transfer_many_readers_take_several_turns)
{
	enum { N = TRANSFER_TURN + 10 };
	static struct held held[N];
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	unsigned n_done = 0;

	for (int i = 0; i < N; i++)
		held_read(&held[i], file, 3);
	toy->has_end = true;
	wake(toy, EPOLLHUP);
	for (int i = 0; i < N; i++)
		n_done += held[i].n;
	ck_assert_uint_eq(n_done, TRANSFER_TURN);
	loop_settle();
	for (int i = 0; i < N; i++)
		held_expect_result(&held[i], 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_end_tries_all_readers)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held first = {0}, second = {0};

	held_read(&first, file, 3);
	held_read(&second, file, 3);
	toy->n_reads = 0;
	wake(toy, EPOLLHUP);
	ck_assert_uint_eq(toy->n_reads, 2);
	transfer_cancel(&first.transfer);
	transfer_cancel(&second.transfer);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_cancelled_reader_is_not_told)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held first = {0}, second = {0};

	held_read(&first, file, 3);
	held_read(&second, file, 3);
	transfer_cancel(&first.transfer);
	toy->pieces[0] = "x";
	wake(toy, EPOLLIN);
	ck_assert_uint_eq(first.n, 0);
	held_expect(&second, "x");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

/* A transfer that frees itself when it is complete, as a request does. */
struct once {
	struct transfer transfer;
	unsigned *n;
};

static bool once_complete(struct transfer *transfer, const void *data, ssize_t result)
{
	struct once *once = CONTAINER_OF(transfer, struct once, transfer);

	++*once->n;
	free(once);
	return true;
}

START_TEST(test_transfer_freed_when_told_is_not_touched)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	unsigned n = 0;

	for (int i = 0; i < 4; i++) {
		struct once *once = calloc(1, sizeof(*once));

		once->n = &n;
		once->transfer = (struct transfer){.file = file,
						   .sort = i < 2 ? TRANSFER_WRITE : TRANSFER_READ,
						   .data = "x",
						   .size = 1,
						   .complete = once_complete};
		transfer_hold(&once->transfer);
	}
	toy->room = 2;
	toy->has_end = true;
	wake(toy, EPOLLIN | EPOLLOUT);
	ck_assert_uint_eq(n, 4);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_hand_without_readers_takes_nothing)
{
	struct toy *toy = toy_new(&toy_stream);

	ck_assert_uint_eq(transfer_hand(&toy->channel, "hello", 5), 0);
	toy_close(toy, (struct file *[]){NULL});
}
END_TEST

START_TEST(test_transfer_hand_gives_to_reader)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_read(&held, file, 100);
	ck_assert_uint_eq(transfer_hand(&toy->channel, "hello", 5), 5);
	held_expect(&held, "hello");
	ck_assert_ptr_null(toy->channel.readers);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_hand_splits_among_readers_in_order)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held first = {0}, second = {0}, third = {0};

	held_read(&first, file, 2);
	held_read(&second, file, 100);
	held_read(&third, file, 100);
	ck_assert_uint_eq(transfer_hand(&toy->channel, "hello", 5), 5);
	held_expect(&first, "he");
	held_expect(&second, "llo");
	ck_assert_uint_eq(third.n, 0);
	transfer_cancel(&third.transfer);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_hand_of_too_much_takes_what_fits)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_read(&held, file, 2);
	ck_assert_uint_eq(transfer_hand(&toy->channel, "hello", 5), 2);
	held_expect(&held, "he");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_hand_to_deaf_reader_goes_to_next)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held deaf = {.is_deaf = true}, second = {0};

	held_read(&deaf, file, 3);
	held_read(&second, file, 100);
	ck_assert_uint_eq(transfer_hand(&toy->channel, "hello", 5), 5);
	held_expect(&second, "hello");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_transfer_hand_to_deaf_reader_alone_takes_nothing)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held deaf = {.is_deaf = true};

	held_read(&deaf, file, 3);
	ck_assert_uint_eq(transfer_hand(&toy->channel, "hello", 5), 0);
	ck_assert_ptr_null(toy->channel.readers);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

static void add_hand_tests(Suite *suite)
{
	suite_add(suite, "hand",
		  (const TTest *const[]){
			  test_transfer_hand_without_readers_takes_nothing,
			  test_transfer_hand_gives_to_reader,
			  test_transfer_hand_splits_among_readers_in_order,
			  test_transfer_hand_of_too_much_takes_what_fits,
			  test_transfer_hand_to_deaf_reader_goes_to_next,
			  test_transfer_hand_to_deaf_reader_alone_takes_nothing,
			  NULL,
		  });
}

int main(void)
{
	Suite *suite = suite_create("transfer");

	suite_add(suite, "readers",
		  (const TTest *const[]){
			  test_transfer_reader_gets_what_comes,
			  test_transfer_reader_of_nothing_waits_on,
			  test_transfer_reader_is_told_of_error,
			  test_transfer_reader_is_not_tried_when_there_is_room,
			  test_transfer_readers_are_served_in_order,
			  test_transfer_readers_behind_one_who_waits_are_not_tried,
			  test_transfer_readers_with_a_rest_are_served_behind_one_who_waits,
			  test_transfer_readers_of_a_selective_kind_are_all_tried,
			  test_transfer_readers_are_all_told_of_the_end,
			  test_transfer_many_readers_take_several_turns,
			  test_transfer_end_tries_all_readers,
			  test_transfer_cancelled_reader_is_not_told,
			  test_transfer_freed_when_told_is_not_touched,
			  NULL,
		  });
	add_hand_tests(suite);
	return suite_run(suite);
}
