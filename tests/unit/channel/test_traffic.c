/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a channel counts of all that passes, and of those who had to wait.
 */
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/toy.h"

static void expect(const struct flow *flow, uint64_t n, uint64_t bytes)
{
	ck_assert_uint_eq(flow->n, n);
	ck_assert_uint_eq(flow->bytes, bytes);
}

START_TEST(test_traffic_counts_what_was_accepted)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);

	toy->room = 7;
	ck_assert_int_eq(channel_write(file, "hello", 5, 0), 5);
	ck_assert_int_eq(channel_write(file, "hello", 5, 0), 2);
	ck_assert_int_eq(channel_write(file, "hello", 5, 0), -EAGAIN);
	expect(&toy->channel.traffic.in, 2, 7);
	expect(&toy->channel.traffic.out, 0, 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_traffic_counts_a_message_once_when_taken)
{
	struct toy *toy = toy_new(&toy_message);
	struct file *file = toy_open(toy);

	toy->pieces[0] = "hello";
	file_expect(file, 2, "he");
	expect(&toy->channel.traffic.out, 1, 5);
	file_expect(file, 100, "llo");
	expect(&toy->channel.traffic.out, 1, 5);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_traffic_counts_what_was_lent_when_taken)
{
	struct toy *toy = toy_new(&toy_lending);
	struct file *file = toy_open(toy);
	struct pieces pieces;

	toy->pieces[0] = "hello";
	ck_assert_int_eq(channel_lend(file, 100, 0, &pieces), 5);
	expect(&toy->channel.traffic.out, 0, 0);
	channel_take(file, &pieces);
	expect(&toy->channel.traffic.out, 1, 5);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_traffic_counts_what_is_handed_over)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0}, deaf = {.is_deaf = true};

	held_read(&deaf, file, 3);
	held_read(&held, file, 3);
	ck_assert_uint_eq(transfer_hand(&toy->channel, "hello", 5), 3);
	expect(&toy->channel.traffic.out, 1, 3);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_traffic_does_not_count_the_end)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);

	toy->has_end = true;
	file_expect(file, 100, "");
	expect(&toy->channel.traffic.out, 0, 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_traffic_counts_who_waits_once)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held reader = {0}, writer = {0};

	held_read(&reader, file, 3);
	held_write(&writer, file, "hello", 5);
	ck_assert_uint_eq(toy->channel.traffic.n_waits, 2);
	channel_wake(&toy->channel, EPOLLIN | EPOLLOUT);
	loop_run_tasks(loop);
	ck_assert_uint_eq(toy->channel.traffic.n_waits, 2);
	transfer_cancel(&reader.transfer);
	transfer_cancel(&writer.transfer);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_traffic_begins_with_the_first_open)
{
	struct toy *toy = toy_new(&toy_stream);
	struct timespec since;
	struct file *file, *other;

	ck_assert_int_eq(toy->channel.traffic.since.tv_sec, 0);
	file = toy_open(toy);
	since = toy->channel.traffic.since;
	ck_assert_int_gt(since.tv_sec, 0);
	other = toy_open(toy);
	ck_assert_mem_eq(&toy->channel.traffic.since, &since, sizeof(since));
	toy_close(toy, (struct file *[]){file, other, NULL});
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("traffic");

	suite_add(suite, "passing",
		  (const TTest *const[]){
			  test_traffic_counts_what_was_accepted,
			  test_traffic_counts_a_message_once_when_taken,
			  test_traffic_counts_what_was_lent_when_taken,
			  test_traffic_counts_what_is_handed_over,
			  test_traffic_does_not_count_the_end,
			  test_traffic_counts_who_waits_once,
			  test_traffic_begins_with_the_first_open,
			  NULL,
		  });
	return suite_run(suite);
}
