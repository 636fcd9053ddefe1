// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Open files of cluster/ in the next daemon: what the reader had been given, what it is given next,
 * and what the server is told.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/kinds/cluster/cluster_topic.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/kinds/cluster/adopt_object.h"
#include "tests/unit/objects.h"

#define READERS  "ipcfs-queues-news.readers"
#define QUESTION "$JS.API.STREAM.MSG.GET.KV_ipcfs-values-news"

static struct cluster_object *object;
static struct file *file;

static void next_up(void)
{
	object = adopt_next_up(object);
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
}

static void end(void)
{
	adopt_end((struct file *[]){file, NULL});
}

/* Reads, and says that the reader has it. */
static void expect(size_t size, const char *text)
{
	struct pieces pieces;
	ssize_t n = must(channel_lend(file, size, 0, &pieces));

	ck_assert_uint_eq((size_t)n, strlen(text));
	ck_assert_mem_eq(pieces.iov[0].iov_base, text, (size_t)n);
	channel_take(file, &pieces);
}

/* Queues. */

/* The message `hello`, the fifth of the stream, is there to be read. */
static void open_queue(void)
{
	struct watch watch = {0};

	object = adopt_object(&cluster_queue_kind, CLUSTER_QUEUES);
	file = fake_open_plain(object, O_RDONLY);
	watch_start(&watch, file);
	fake_answer(fake_wait_for("$JS.API.STREAM.INFO.*"), FAKE_DONE, 0);
	fake_answer(fake_wait_for("$JS.API.CONSUMER.DURABLE.CREATE.*"), FAKE_DONE, 0);
	loop_settle();
	fake_deliver_at(READERS, "hello", 5);
	channel_watch(file, NULL, NULL);
}

static void expect_told(unsigned n_acks, unsigned n_naks)
{
	ck_assert_uint_eq(fake_told.n_acks, n_acks);
	ck_assert_uint_eq(fake_told.n_naks, n_naks);
	if (n_acks + n_naks)
		ck_assert_uint_eq(fake_told.sequence, 5);
}

START_TEST(test_adopt_cluster_queue_message_read_in_part_stays_the_readers)
{
	open_queue();
	expect(2, "he");
	next_up();
	expect_told(0, 0);
	ck_assert_uint_gt(fake_told.n_progress, 0);
	expect(2, "ll");
	next_up();
	expect_told(0, 0);
	expect(100, "o");
	expect_told(1, 0);
	end();
	expect_told(1, 0);
}
END_TEST

START_TEST(test_adopt_cluster_queue_message_not_read_to_the_end_goes_back)
{
	open_queue();
	expect(2, "he");
	next_up();
	end();
	expect_told(0, 1);
}
END_TEST

START_TEST(test_adopt_cluster_queue_message_that_was_answered_is_acknowledged)
{
	open_queue();
	adopt_lend(file, "hello");
	next_up();
	expect_told(1, 0);
	must_fail(file_try_read(file, 100), EAGAIN);
	end();
}
END_TEST

START_TEST(test_adopt_cluster_queue_message_that_was_not_answered_goes_back)
{
	open_queue();
	adopt_lend(file, "hello");
	adopt_again(REQUEST);
	next_up();
	expect_told(0, 1);
	next_up();
	expect_told(0, 1);
	end();
}
END_TEST

/* It was in the buffer, from which the reader is given it now. */
START_TEST(test_adopt_cluster_queue_message_copied_but_not_answered_is_given)
{
	const void *data;

	open_queue();
	host.journal->request = REQUEST;
	file->channel->message_max = 100;
	ck_assert_int_eq(channel_read(file, 2, 0, &data), 2);
	adopt_again(REQUEST);
	next_up();
	expect_told(0, 0);
	expect(100, "hello");
	expect_told(1, 0);
	end();
}
END_TEST

START_TEST(test_adopt_cluster_queue_message_whose_last_bytes_were_answered_is_acknowledged)
{
	open_queue();
	expect(2, "he");
	adopt_lend(file, "llo");
	next_up();
	expect_told(1, 0);
	ck_assert(!file->rest.data);
	next_up();
	expect_told(2, 0); /* once more */
	end();
	expect_told(2, 0);
}
END_TEST

START_TEST(test_adopt_cluster_queue_message_that_was_given_back_is_somebody_elses)
{
	const void *data;

	open_queue();
	file->channel->message_max = 100;
	ck_assert_int_eq(channel_read(file, 100, 0, &data), 5);
	channel_given(file, false);
	expect_told(0, 1);
	next_up();
	expect_told(0, 1);
	end();
}
END_TEST

/* Topics. */

static struct subscription *subscription_of(void)
{
	return ((const struct topic_file *)file->state)->subscription;
}

static void open_topic(void)
{
	const struct selector none = {0};

	object = adopt_object(&cluster_topic_kind, CLUSTER_TOPICS);
	file = fake_open_at(object, &none, 1, 7);
}

/* The reader's consumer begins with this text; the message with that number comes. */
static void bring(const char *begin, const char *text, uint64_t sequence)
{
	struct watch watch = {0};

	must_fail(file_try_read(file, 100), EAGAIN);
	watch_start(&watch, file);
	fake_deliver_at(fake_make_consumer(begin), text, sequence);
	watch_wait(&watch, 1);
}

START_TEST(test_adopt_cluster_topic_goes_on_after_what_the_reader_has)
{
	open_topic();
	bring("\"opt_start_seq\":8", "eight", 8);
	expect(100, "eight");
	next_up();
	bring("\"opt_start_seq\":9", "nine", 9);
	expect(2, "ni");
	next_up();
	expect(100, "ne");
	bring("\"opt_start_seq\":10", "ten", 10);
	next_up();
	bring("\"opt_start_seq\":10", "ten", 10);
	expect(100, "ten");
	ck_assert_uint_eq(subscription_of()->n_missed, 0);
	end();
}
END_TEST

START_TEST(test_adopt_cluster_topic_message_that_was_answered_is_not_given_again)
{
	open_topic();
	bring("\"opt_start_seq\":8", "twelve", 12);
	adopt_lend(file, "twelve");
	next_up();
	ck_assert_uint_eq(subscription_of()->n_missed, 4);
	bring("\"opt_start_seq\":13", "fourteen", 14);
	ck_assert_uint_eq(subscription_of()->n_missed, 5);
	expect(100, "fourteen");
	next_up();
	ck_assert_uint_eq(subscription_of()->n_missed, 5);
	end();
}
END_TEST

START_TEST(test_adopt_cluster_topic_message_that_was_not_answered_is_given_again)
{
	open_topic();
	bring("\"opt_start_seq\":8", "twelve", 12);
	adopt_lend(file, "twelve");
	adopt_again(REQUEST);
	next_up();
	ck_assert_uint_eq(subscription_of()->n_missed, 0);
	bring("\"opt_start_seq\":8", "twelve", 12);
	ck_assert_uint_eq(subscription_of()->n_missed, 4);
	end();
}
END_TEST

START_TEST(test_adopt_cluster_topic_knows_who_reads)
{
	open_topic();
	next_up();
	ck_assert_int_eq(subscription_of()->pid, getpid());
	end();
}
END_TEST

/* Values. */

static void open_value(void)
{
	object = adopt_object(&cluster_value_kind, CLUSTER_VALUES);
	file = fake_open_plain(object, O_RDONLY);
}

/* The answer to what a read asks: the value `one`, of this revision. It can be read then. */
static void bring_value(unsigned revision)
{
	char text[160];

	must_fail(file_try_read(file, 100), EAGAIN);
	snprintf(text, sizeof(text),
		 "{\"message\":{\"subject\":\"$KV.ipcfs-values-news.value\",\"seq\":%u,"
		 "\"data\":\"b25l\",\"time\":\"2026-11-28T16:00:00Z\"}}",
		 revision);
	fake_answer(fake_wait_for(QUESTION), text, 0);
}

static void expect_end(uint64_t request)
{
	struct pieces pieces;

	host.journal->request = request;
	ck_assert_int_eq(channel_lend(file, 100, 0, &pieces), 0);
}

START_TEST(test_adopt_cluster_value_is_followed_by_its_end_once)
{
	open_value();
	bring_value(1);
	expect(2, "on");
	next_up();
	expect(100, "e");
	next_up();
	ck_assert_uint_ne(channel_poll(file) & EPOLLIN, 0);
	expect_end(0);
	next_up();
	ck_assert_uint_eq(channel_poll(file) & EPOLLIN, 0);
	bring_value(1);
	expect_end(0); /* it is still the same */
	bring_value(2);
	expect(100, "one");
	end();
}
END_TEST

START_TEST(test_adopt_cluster_value_end_that_was_not_answered_is_given_again)
{
	open_value();
	bring_value(1);
	expect(100, "one");
	expect_end(REQUEST);
	adopt_again(REQUEST);
	next_up();
	expect_end(REQUEST);
	end();
}
END_TEST

/* Of `_i`: the reader was answered with the value, or is not, and asks again. */
START_TEST(test_adopt_cluster_value_that_was_lent)
{
	open_value();
	bring_value(1);
	adopt_lend(file, "one");
	if (_i)
		adopt_again(REQUEST);
	next_up();
	if (_i) {
		bring_value(1);
		expect(100, "one");
	}
	expect_end(0);
	end();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_adopt_cluster_queue_message_read_in_part_stays_the_readers,
		test_adopt_cluster_queue_message_not_read_to_the_end_goes_back,
		test_adopt_cluster_queue_message_that_was_answered_is_acknowledged,
		test_adopt_cluster_queue_message_that_was_not_answered_goes_back,
		test_adopt_cluster_queue_message_copied_but_not_answered_is_given,
		test_adopt_cluster_queue_message_whose_last_bytes_were_answered_is_acknowledged,
		test_adopt_cluster_queue_message_that_was_given_back_is_somebody_elses,
		test_adopt_cluster_topic_goes_on_after_what_the_reader_has,
		test_adopt_cluster_topic_message_that_was_answered_is_not_given_again,
		test_adopt_cluster_topic_message_that_was_not_answered_is_given_again,
		test_adopt_cluster_topic_knows_who_reads,
		test_adopt_cluster_value_is_followed_by_its_end_once,
		test_adopt_cluster_value_end_that_was_not_answered_is_given_again,
		NULL,
	};
	const TTest *const lent_tests[] = {
		test_adopt_cluster_value_that_was_lent,
		NULL,
	};
	Suite *suite = suite_create("adopt_cluster_files");

	suite_add(suite, "files", tests);
	suite_add_loop(suite, "lent", lent_tests, 2);
	return suite_run(suite);
}
