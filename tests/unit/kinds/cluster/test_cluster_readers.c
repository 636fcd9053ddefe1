// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading from a queue of the cluster: what is pulled and for whom, and what becomes of a message:
 * acknowledged when it has been read, given back when it has not.
 */
#include "lib/kinds/cluster/cluster_readers.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "lib/base/clock.h"
#include "lib/channel/transfer.h"
#include "tests/unit/fixture.h"
#include "tests/unit/kinds/cluster/fake_queue.h"

enum { MANY = 64, SIZE = 64 };

#define STREAM_INFO    "$JS.API.STREAM.INFO." JOBS_STREAM
#define CREATE_READERS "$JS.API.CONSUMER.DURABLE.CREATE." JOBS_READERS

static void expect_told(unsigned n_acks, unsigned n_naks)
{
	ck_assert_uint_eq(fake_told.n_acks, n_acks);
	ck_assert_uint_eq(fake_told.n_naks, n_naks);
	ck_assert_uint_eq(fake_told.n_deliveries, 0);
}

/* Lets the daemon find that the consumer is there. */
static void be_sure(void)
{
	fake_wait_asked(STREAM_INFO, 1);
	ck_assert_uint_eq(fake_n_pulled(JOBS_READERS), 0);
	fake_answer(fake_asked(STREAM_INFO), OK, 0);
	fake_answer(fake_asked(CREATE_READERS), OK, 0);
	loop_settle();
}

START_TEST(test_cluster_readers_pull_for_each_reader)
{
	struct file *file = fake_open(fake_queue(), O_RDONLY);
	struct held held[MANY] = {0};

	loop_settle();
	ck_assert_ptr_null(fake_asked(JOBS_STREAM "*"));
	for (int i = 0; i < MANY; i++)
		held_read(&held[i], file, SIZE);
	be_sure();
	ck_assert_uint_eq(fake_n_pulled(JOBS_READERS), MANY);
	for (int i = 0; i < MANY; i++)
		fake_deliver(JOBS_READERS, "hello", 1);
	loop_settle();
	for (int i = 0; i < MANY; i++)
		held_expect(&held[i], "hello");
	expect_told(MANY, 0);
	ck_assert_uint_eq(fake_n_pulled(JOBS_READERS), 0);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_cluster_readers_of_an_empty_message)
{
	struct file *file = fake_open(fake_queue(), O_RDONLY);
	struct held held = {0};

	held_read(&held, file, SIZE);
	be_sure();
	fake_deliver(JOBS_READERS, "", 1);
	loop_settle();
	held_expect_result(&held, 0);
	expect_told(1, 0);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_cluster_readers_that_are_deaf_give_back)
{
	struct file *file = fake_open(fake_queue(), O_RDONLY);
	struct held held = {.is_deaf = true};

	held_read(&held, file, SIZE);
	be_sure();
	fake_deliver(JOBS_READERS, "hello", 1);
	loop_settle();
	expect_told(0, 1);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_cluster_readers_that_have_gone_give_back)
{
	struct file *file = fake_open(fake_queue(), O_RDONLY);
	struct held held[2] = {0};

	held_read(&held[0], file, SIZE);
	be_sure();
	transfer_cancel(&held[0].transfer);
	loop_settle();
	fake_deliver(JOBS_READERS, "hello", 1);
	loop_settle();
	expect_told(0, 1);
	/* The same, with a message that is there already. */
	held_read(&held[1], file, SIZE);
	loop_settle();
	fake_deliver(JOBS_READERS, "hello", 2);
	transfer_cancel(&held[1].transfer);
	loop_settle();
	expect_told(0, 2);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

/* What was asked for one reader serves the next. */
START_TEST(test_cluster_readers_take_what_others_have_pulled)
{
	struct file *file = fake_open(fake_queue(), O_RDONLY);
	struct held held[2] = {0};

	held_read(&held[0], file, SIZE);
	be_sure();
	transfer_cancel(&held[0].transfer);
	held_read(&held[1], file, SIZE);
	loop_settle();
	ck_assert_uint_eq(fake_n_pulled(JOBS_READERS), 1);
	fake_deliver(JOBS_READERS, "hello", 1);
	loop_settle();
	held_expect(&held[1], "hello");
	expect_told(1, 0);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_cluster_readers_in_part_acknowledge_the_last_byte)
{
	struct cluster_object *queue = fake_queue();
	struct file *file = fake_open(queue, O_RDONLY);
	struct held held = {0};
	const void *data;

	queue->entry.settings.ack_wait = 3 * CLOCK_MS;
	held_read(&held, file, 2);
	be_sure();
	fake_deliver(JOBS_READERS, "hello", 1);
	loop_settle();
	held_expect(&held, "he");
	ck_assert_uint_eq(fake_told.n_acks, 0);
	/* The server is told that it takes longer. */
	while (fake_told.n_progress < 2)
		loop_settle();
	ck_assert_int_eq(must(channel_read(file, 2, 0, &data)), 2);
	channel_given(file, true);
	ck_assert_uint_eq(fake_told.n_acks, 0);
	ck_assert_int_eq(must(channel_read(file, 2, 0, &data)), 1);
	channel_given(file, true);
	expect_told(1, 0);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_cluster_readers_in_part_that_close_give_back)
{
	struct file *file = fake_open(fake_queue(), O_RDONLY);
	struct held held = {0};

	held_read(&held, file, 2);
	be_sure();
	fake_deliver(JOBS_READERS, "hello", 1);
	loop_settle();
	held_expect(&held, "he");
	fake_close((struct file *[]){file, NULL});
	expect_told(0, 1);
}
END_TEST

START_TEST(test_cluster_readers_take_any_size)
{
	enum { LONG = (1 << 20) + 4096 };
	struct file *file = fake_open(fake_queue(), O_RDONLY);
	struct held held = {0};
	char *text = malloc(LONG + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', LONG);
	text[LONG] = 0;
	held_read(&held, file, 2 * LONG);
	be_sure();
	fake_deliver(JOBS_READERS, text, 1);
	loop_settle();
	held_expect_result(&held, LONG);
	expect_told(1, 0);
	free(text);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_cluster_readers_that_poll)
{
	struct file *file = fake_open(fake_queue(), O_RDONLY);
	struct watch watch = {0};
	struct pieces pieces;

	ck_assert_uint_eq(channel_poll(file), 0);
	watch_start(&watch, file);
	be_sure();
	ck_assert_uint_eq(fake_n_pulled(JOBS_READERS), 1);
	fake_deliver(JOBS_READERS, "hello", 1);
	watch_wait(&watch, 1);
	ck_assert_uint_eq(channel_poll(file), EPOLLIN | EPOLLRDNORM);
	ck_assert_int_eq(must(channel_lend(file, SIZE, 0, &pieces)), 5);
	channel_take(file, &pieces);
	expect_told(1, 0);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_cluster_readers_that_poll_and_do_not_read_give_back)
{
	struct cluster_object *queue = fake_queue();
	struct file *file = fake_open(queue, O_RDONLY);
	struct watch watch = {0};

	queue->entry.settings.ack_wait = 4 * CLOCK_MS;
	watch_start(&watch, file);
	be_sure();
	fake_deliver(JOBS_READERS, "hello", 1);
	watch_wait(&watch, 1);
	fake_wait_naks(1);
	ck_assert_uint_eq(channel_poll(file), 0);
	expect_told(0, 1);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_cluster_readers_nonblock_find_it_next_time)
{
	struct file *file = fake_open(fake_queue(), O_RDONLY | O_NONBLOCK);
	struct pieces pieces;

	must_fail(channel_lend(file, SIZE, 0, &pieces), EAGAIN);
	must_fail(channel_lend(file, SIZE, 0, &pieces), EAGAIN);
	be_sure();
	ck_assert_uint_eq(fake_n_pulled(JOBS_READERS), 1);
	fake_deliver(JOBS_READERS, "hello", 1);
	loop_settle();
	ck_assert_int_eq(must(channel_lend(file, SIZE, 0, &pieces)), 5);
	channel_take(file, &pieces);
	expect_told(1, 0);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

/* Runs the loop for more than the second that a message is kept at least. */
static void pass_a_second(void)
{
	int64_t until = clock_now() + CLOCK_S + 100 * CLOCK_MS;

	while (clock_now() < until)
		loop_settle();
}

START_TEST(test_cluster_readers_nonblock_may_come_rarely)
{
	struct file *file = fake_open(fake_queue(), O_RDONLY | O_NONBLOCK);
	struct pieces pieces;

	must_fail(channel_lend(file, SIZE, 0, &pieces), EAGAIN);
	be_sure();
	pass_a_second();
	must_fail(channel_lend(file, SIZE, 0, &pieces), EAGAIN);
	fake_deliver(JOBS_READERS, "hello", 1);
	pass_a_second();
	ck_assert_int_eq(must(channel_lend(file, SIZE, 0, &pieces)), 5);
	channel_take(file, &pieces);
	expect_told(1, 0);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_cluster_readers_wait_on_when_a_pull_ends)
{
	struct file *file = fake_open(fake_queue(), O_RDONLY);
	struct held held = {0};

	held_read(&held, file, SIZE);
	be_sure();
	fake_end_pulls(JOBS_READERS, 408);
	loop_settle();
	ck_assert_uint_eq(fake_n_pulled(JOBS_READERS), 1);
	transfer_cancel(&held.transfer);
	fake_end_pulls(JOBS_READERS, 408);
	loop_settle();
	ck_assert_uint_eq(fake_n_pulled(JOBS_READERS), 0);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_cluster_readers_make_a_lost_consumer_again)
{
	struct file *file = fake_open(fake_queue(), O_RDONLY);
	struct held held = {0};

	held_read(&held, file, SIZE);
	be_sure();
	fake_end_pulls(JOBS_READERS, 409);
	be_sure();
	ck_assert_uint_eq(fake_n_pulled(JOBS_READERS), 1);
	fake_deliver(JOBS_READERS, "hello", 1);
	loop_settle();
	held_expect(&held, "hello");
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_cluster_readers_after_the_link_was_lost)
{
	struct file *file = fake_open(fake_queue(), O_RDONLY);
	struct watch watch = {0};
	struct held held = {0};

	watch_start(&watch, file);
	be_sure();
	fake_deliver(JOBS_READERS, "hello", 1);
	watch_wait(&watch, 1);
	/* It comes again by the next connection, so nothing is told of it. */
	fake_down();
	ck_assert_uint_eq(channel_poll(file), 0);
	expect_told(0, 0);
	held_read(&held, file, SIZE);
	loop_settle();
	ck_assert_uint_eq(fake_n_pulled(JOBS_READERS), 0);
	fake_up();
	be_sure();
	ck_assert_uint_eq(fake_n_pulled(JOBS_READERS), 1);
	fake_deliver(JOBS_READERS, "hello", 2);
	loop_settle();
	held_expect(&held, "hello");
	expect_told(1, 0);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_cluster_readers_of_a_removed_queue_end)
{
	struct cluster_object *queue = fake_queue();
	struct file *file = fake_open(queue, O_RDONLY);
	struct held held = {0};
	const void *data;

	held_read(&held, file, SIZE);
	be_sure();
	fake_remove(queue);
	held_expect_result(&held, -EIDRM);
	must_fail(channel_read(file, SIZE, 0, &data), EIDRM);
	fake_close((struct file *[]){file, NULL});
}
END_TEST

int main(void)
{
	const TTest *const waiting[] = {
		test_cluster_readers_pull_for_each_reader,
		test_cluster_readers_of_an_empty_message,
		test_cluster_readers_take_what_others_have_pulled,
		test_cluster_readers_take_any_size,
		test_cluster_readers_wait_on_when_a_pull_ends,
		test_cluster_readers_make_a_lost_consumer_again,
		test_cluster_readers_after_the_link_was_lost,
		test_cluster_readers_of_a_removed_queue_end,
		NULL,
	};
	const TTest *const going[] = {
		test_cluster_readers_that_are_deaf_give_back,
		test_cluster_readers_that_have_gone_give_back,
		test_cluster_readers_in_part_acknowledge_the_last_byte,
		test_cluster_readers_in_part_that_close_give_back,
		NULL,
	};
	const TTest *const looking[] = {
		test_cluster_readers_that_poll,
		test_cluster_readers_that_poll_and_do_not_read_give_back,
		test_cluster_readers_nonblock_find_it_next_time,
		test_cluster_readers_nonblock_may_come_rarely,
		NULL,
	};
	Suite *suite = suite_create("cluster_readers");

	suite_add(suite, "waiting", waiting);
	suite_add(suite, "going", going);
	suite_add(suite, "looking", looking);
	return suite_run(suite);
}
