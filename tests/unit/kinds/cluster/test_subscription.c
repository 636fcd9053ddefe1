// SPDX-License-Identifier: GPL-2.0-or-later
/* Readers of a topic: where they begin, what they are given in which order, and when they pull. */
#include "lib/kinds/cluster/subscription.h"

#include <fcntl.h>
#include <sys/epoll.h>

#include "lib/kinds/cluster/cluster_topic.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/kinds/cluster/fake_object.h"
#include "tests/unit/objects.h"

static const struct selector none;

static struct cluster_object *news(void)
{
	return fake_object(&cluster_topic_kind, CLUSTER_TOPICS);
}

static struct subscription *subscription_of(const struct file *file)
{
	return ((const struct topic_file *)file->state)->subscription;
}

/* Reads, expects this text, and says that the reader has it. */
static void expect(struct file *file, size_t size, const char *text)
{
	struct pieces pieces;
	ssize_t n = must(channel_lend(file, size, 0, &pieces));

	ck_assert_uint_eq((size_t)n, strlen(text));
	ck_assert_mem_eq(pieces.iov[0].iov_base, text, (size_t)n);
	channel_take(file, &pieces);
}

static size_t read_some(struct file *file)
{
	struct pieces pieces;
	ssize_t n = must(channel_lend(file, 1 << 20, 0, &pieces));

	channel_take(file, &pieces);
	return (size_t)n;
}

START_TEST(test_subscription_begins_after_last_message)
{
	struct file *file = fake_open_at(news(), &none, 1, 7);
	struct held held = {0};
	const char *key;

	ck_assert_ptr_null(fake_asked("$JS.API.CONSUMER.*"));
	held_read(&held, file, 100);
	key = fake_make_consumer("\"opt_start_seq\":8");
	ck_assert_uint_eq(fake_n_pulled(key), 64);
	fake_deliver_at(key, "eight", 8);
	held_wait(&held);
	held_expect(&held, "eight");
	ck_assert_uint_eq(subscription_of(file)->n_missed, 0);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_with_selector_begins_with_last_messages)
{
	const struct selector three = {.is_set = true, .value = 3};
	struct file *file = fake_open_at(news(), &three, 1, 7);
	struct held held = {0};

	held_read(&held, file, 100);
	fake_make_consumer("\"opt_start_seq\":5");
	transfer_cancel(&held.transfer);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_with_selector_begins_no_earlier_than_stream)
{
	const struct selector many = {.is_set = true, .value = 100};
	struct file *file = fake_open_at(news(), &many, 6, 7);
	struct held held = {0};

	held_read(&held, file, 100);
	fake_make_consumer("\"opt_start_seq\":6");
	transfer_cancel(&held.transfer);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_of_kept_messages_begins_with_them)
{
	struct cluster_object *topic = news();
	struct file *file;
	struct held held = {0};

	topic->entry.settings.keep = 2;
	file = fake_open_at(topic, &none, 1, 7);
	held_read(&held, file, 100);
	fake_make_consumer("\"opt_start_seq\":6");
	transfer_cancel(&held.transfer);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_of_kept_bytes_begins_with_first)
{
	struct cluster_object *topic = news();
	struct file *file;
	struct held held = {0};

	topic->entry.settings.keep_bytes = 1 << 20;
	file = fake_open_at(topic, &none, 3, 7);
	held_read(&held, file, 100);
	fake_make_consumer("\"opt_start_seq\":3");
	transfer_cancel(&held.transfer);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_gives_messages_in_order_and_rests)
{
	struct file *file = fake_open_at(news(), &none, 1, 0);
	const char *key;

	must_fail(file_try_read(file, 100), EAGAIN);
	key = fake_make_consumer("\"opt_start_seq\":1");
	fake_deliver_at(key, "one", 1);
	fake_deliver_at(key, "twotwo", 2);
	fake_deliver_at(key, "three", 3);
	expect(file, 100, "one");
	expect(file, 3, "two");
	expect(file, 100, "two");
	expect(file, 5, "three");
	must_fail(file_try_read(file, 100), EAGAIN);
	ck_assert_uint_eq(fake_told.n_deliveries, 0);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_gives_a_message_longer_than_any_before)
{
	static char text[(2 << 20) + 1];
	struct file *file = fake_open_at(news(), &none, 1, 0);
	const char *key;

	must_fail(file_try_read(file, 100), EAGAIN);
	key = fake_make_consumer("");
	memset(text, 'x', sizeof(text) - 1);
	fake_deliver_at(key, text, 1);
	fake_deliver_at(key, "next", 2);
	for (size_t n = 0; n < sizeof(text) - 1;)
		n += read_some(file);
	expect(file, 100, "next");
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_pulls_more_when_half_was_read)
{
	struct file *file = fake_open_at(news(), &none, 1, 0);
	const char *key;

	must_fail(file_try_read(file, 100), EAGAIN);
	key = fake_make_consumer("");
	for (uint64_t i = 1; i <= 64; i++)
		fake_deliver_at(key, "x", i);
	for (int i = 0; i < 31; i++)
		expect(file, 100, "x");
	ck_assert_uint_eq(fake_n_pulled(key), 0);
	expect(file, 100, "x");
	ck_assert_uint_eq(fake_n_pulled(key), 32);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

/* Nobody reads: when the pull is over, there is no other. */
START_TEST(test_subscription_without_reader_stops_pulling)
{
	struct file *file = fake_open_at(news(), &none, 1, 0);
	const char *key;

	must_fail(file_try_read(file, 100), EAGAIN);
	key = fake_make_consumer("");
	fake_end_pulls(key, 408);
	ck_assert_uint_eq(fake_n_pulled(key), 0);
	must_fail(file_try_read(file, 100), EAGAIN);
	ck_assert_uint_eq(fake_n_pulled(key), 64);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_polled_pulls_and_wakes)
{
	struct file *file = fake_open_at(news(), &none, 1, 0);
	struct watch watch = {0};
	const char *key;

	ck_assert_uint_eq(channel_poll(file), 0);
	watch_start(&watch, file);
	key = fake_make_consumer("");
	fake_deliver_at(key, "one", 1);
	watch_wait(&watch, 1);
	ck_assert_uint_eq(channel_poll(file), EPOLLIN | EPOLLRDNORM);
	expect(file, 100, "one");
	ck_assert_uint_eq(channel_poll(file), 0);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("subscription");

	suite_add(suite, "subscription",
		  (const TTest *[]){
			  test_subscription_begins_after_last_message,
			  test_subscription_with_selector_begins_with_last_messages,
			  test_subscription_with_selector_begins_no_earlier_than_stream,
			  test_subscription_of_kept_messages_begins_with_them,
			  test_subscription_of_kept_bytes_begins_with_first,
			  test_subscription_gives_messages_in_order_and_rests,
			  test_subscription_gives_a_message_longer_than_any_before,
			  test_subscription_pulls_more_when_half_was_read,
			  test_subscription_without_reader_stops_pulling,
			  test_subscription_polled_pulls_and_wakes,
			  NULL,
		  });
	return suite_run(suite);
}
