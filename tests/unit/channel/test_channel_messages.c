/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages longer than the read that takes them. The rest of a message stays with the reader's
 * file, is charged to the file's opener, and is never mixed with another message. A toy's messages
 * have up to 100 bytes.
 */
#include <sys/epoll.h>

#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/toy.h"

static size_t charged_bytes(void)
{
	return user_charged(&host.users, 0, USER_BYTES);
}

START_TEST(test_channel_messages_read_takes_one)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);

	toy->pieces[0] = "one";
	toy->pieces[1] = "two";
	file_expect(file, 200, "one");
	file_expect(file, 200, "two");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_messages_read_in_part_leaves_rest)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);

	toy->pieces[0] = "abcdef";
	file_expect(file, 1, "a");
	file_expect(file, 2, "bc");
	file_expect(file, 200, "def");
	must_fail(file_try_read(file, 200), EAGAIN);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_messages_rest_is_not_mixed_with_next)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);

	toy->pieces[0] = "one";
	toy->pieces[1] = "two";
	file_expect(file, 2, "on");
	file_expect(file, 200, "e");
	file_expect(file, 200, "two");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_messages_exact_fit_leaves_no_rest)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);

	toy->pieces[0] = "one";
	file_expect(file, 3, "one");
	ck_assert_uint_eq(charged_bytes(), 0);
	must_fail(file_try_read(file, 3), EAGAIN);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_messages_rest_is_of_one_file)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);
	struct file *other = toy_open(toy);

	toy->pieces[0] = "one";
	toy->pieces[1] = "two";
	file_expect(file, 1, "o");
	file_expect(other, 200, "two");
	file_expect(file, 200, "ne");
	toy_close(toy, (struct file *[]){file, other, NULL});
}
END_TEST

START_TEST(test_channel_messages_empty_one_gives_0)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);

	toy->pieces[0] = "";
	toy->pieces[1] = "next";
	ck_assert_int_eq(file_try_read(file, 2), 0);
	file_expect(file, 200, "next");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_messages_rest_is_charged_until_read)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);

	toy->pieces[0] = "abcdef";
	file_expect(file, 2, "ab");
	ck_assert_uint_eq(charged_bytes(), 4);
	file_expect(file, 200, "cdef");
	ck_assert_uint_eq(charged_bytes(), 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_messages_rest_is_given_back_on_release)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);

	toy->pieces[0] = "abcdef";
	file_expect(file, 2, "ab");
	channel_release(file);
	ck_assert_uint_eq(charged_bytes(), 0);
	toy_close(toy, (struct file *[]){NULL});
}
END_TEST

START_TEST(test_channel_messages_rest_without_room_enobufs_keeps_message)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);

	host.users.limits[USER_BYTES] = 10;
	toy->pieces[0] = "abcdef";
	must_fail(file_try_read(file, 2), ENOBUFS);
	file_expect(file, 200, "abcdef");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_messages_failed_small_read_charges_nothing)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);

	must_fail(file_try_read(file, 2), EAGAIN);
	ck_assert_uint_eq(charged_bytes(), 0);
	toy->error = -EIO;
	must_fail(file_try_read(file, 2), EIO);
	ck_assert_uint_eq(charged_bytes(), 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_messages_larger_than_scratch_are_read)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);

	toy->channel.message_max = host.scratch_size * 2;
	toy->pieces[0] = "hello";
	file_expect(file, 200, "hello");
	ck_assert_uint_ge(host.scratch_size, toy->channel.message_max);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_messages_rest_is_ready_to_read)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);
	struct file *other = toy_open(toy);

	toy->ready = EPOLLOUT;
	toy->pieces[0] = "one";
	file_expect(file, 1, "o");
	ck_assert_uint_eq(channel_poll(file), EPOLLOUT | EPOLLIN | EPOLLRDNORM);
	ck_assert_uint_eq(channel_poll(other), EPOLLOUT);
	file_expect(file, 200, "ne");
	ck_assert_uint_eq(channel_poll(file), EPOLLOUT);
	toy_close(toy, (struct file *[]){file, other, NULL});
}
END_TEST

/* The first reader takes part of a message. The second reader, on the same file, takes the rest. */
START_TEST(test_channel_messages_rest_goes_to_next_held_reader_of_the_file)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);
	struct held first = {0}, second = {0};

	held_read(&first, file, 2);
	held_read(&second, file, 200);
	toy->pieces[0] = "abcdef";
	channel_wake(&toy->channel, EPOLLIN);
	loop_run_tasks(loop);
	held_expect(&first, "ab");
	held_expect(&second, "cdef");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("channel_messages");

	suite_add(suite, "rest",
		  (const TTest *const[]){
			  test_channel_messages_read_takes_one,
			  test_channel_messages_read_in_part_leaves_rest,
			  test_channel_messages_rest_is_not_mixed_with_next,
			  test_channel_messages_exact_fit_leaves_no_rest,
			  test_channel_messages_rest_is_of_one_file,
			  test_channel_messages_empty_one_gives_0,
			  test_channel_messages_larger_than_scratch_are_read,
			  test_channel_messages_rest_is_ready_to_read,
			  test_channel_messages_rest_goes_to_next_held_reader_of_the_file,
			  NULL,
		  });
	suite_add(suite, "charge",
		  (const TTest *const[]){
			  test_channel_messages_rest_is_charged_until_read,
			  test_channel_messages_rest_is_given_back_on_release,
			  test_channel_messages_rest_without_room_enobufs_keeps_message,
			  test_channel_messages_failed_small_read_charges_nothing,
			  NULL,
		  });
	return suite_run(suite);
}
