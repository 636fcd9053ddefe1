// SPDX-License-Identifier: GPL-2.0-or-later
/* What becomes of the readers of a topic when consumers, messages, the link or it are lost. */
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

START_TEST(test_subscription_lost_counts_what_it_missed)
{
	struct file *file = fake_open_at(news(), &none, 1, 4);
	const char *key;

	must_fail(file_try_read(file, 100), EAGAIN);
	key = fake_make_consumer("\"opt_start_seq\":5");
	fake_deliver_at(key, "ten", 10);
	fake_deliver_at(key, "twelve", 12);
	fake_deliver_at(key, "again", 12);
	expect(file, 100, "ten");
	expect(file, 100, "twelve");
	must_fail(file_try_read(file, 100), EAGAIN);
	ck_assert_uint_eq(subscription_of(file)->n_missed, 6);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_lost_after_link_was_lost_goes_on)
{
	struct file *file = fake_open_at(news(), &none, 1, 0);
	struct held held = {0};
	char old[256];
	const char *key;

	must_fail(file_try_read(file, 100), EAGAIN);
	strcpy(old, fake_make_consumer(""));
	fake_deliver_at(old, "one", 1);
	fake_deliver_at(old, "two", 2);
	fake_down();
	expect(file, 100, "one");
	expect(file, 100, "two");
	held_read(&held, file, 100);
	loop_settle();
	fake_up();
	key = fake_make_consumer("\"opt_start_seq\":3");
	ck_assert_str_ne(key, old);
	fake_deliver_at(key, "three", 3);
	held_wait(&held);
	held_expect(&held, "three");
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_lost_without_its_consumer_makes_another)
{
	struct file *file = fake_open_at(news(), &none, 1, 0);
	struct held held = {0};
	const char *key;

	held_read(&held, file, 100);
	key = fake_make_consumer("");
	fake_end_pulls(key, 503);
	key = fake_make_consumer("\"opt_start_seq\":1");
	fake_deliver_at(key, "one", 1);
	held_wait(&held);
	held_expect(&held, "one");
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_lost_refused_twice_makes_another_consumer)
{
	struct file *file = fake_open_at(news(), &none, 1, 0);
	struct held held = {0};
	const char *key;

	held_read(&held, file, 100);
	key = fake_make_consumer("");
	fake_end_pulls(key, 409);
	ck_assert_uint_eq(fake_n_pulled(key), 1);
	fake_end_pulls(key, 409);
	key = fake_make_consumer("\"opt_start_seq\":1");
	ck_assert_uint_eq(fake_n_pulled(key), 64);
	transfer_cancel(&held.transfer);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_lost_of_a_stream_made_anew_begins_anew)
{
	struct file *file = fake_open_at(news(), &none, 1, 100);
	const char *key;

	must_fail(file_try_read(file, 100), EAGAIN);
	key = fake_make_consumer("\"opt_start_seq\":101");
	fake_deliver_at(key, "first", 1);
	fake_deliver_at(key, "second", 2);
	expect(file, 100, "first");
	expect(file, 100, "second");
	ck_assert_uint_eq(subscription_of(file)->n_missed, 0);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_lost_unanswered_read_keeps_message)
{
	struct file *file = fake_open_at(news(), &none, 1, 0);
	struct pieces pieces;
	const char *key;

	must_fail(file_try_read(file, 100), EAGAIN);
	key = fake_make_consumer("");
	fake_deliver_at(key, "one", 1);
	must(channel_lend(file, 100, 0, &pieces));
	channel_given(file, false);
	must(channel_lend(file, 1, 0, &pieces));
	channel_given(file, false);
	expect(file, 100, "one");
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_lost_of_removed_topic_gives_what_it_has)
{
	struct cluster_object *topic = news();
	struct file *file = fake_open_at(topic, &none, 1, 0);
	const char *key;

	must_fail(file_try_read(file, 100), EAGAIN);
	key = fake_make_consumer("");
	fake_deliver_at(key, "one", 1);
	fake_remove_object(topic);
	expect(file, 100, "one");
	must_fail(file_try_read(file, 100), EIDRM);
	ck_assert_uint_eq(channel_poll(file) & EPOLLERR, EPOLLERR);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_lost_waiting_when_topic_goes_ends)
{
	struct cluster_object *topic = news();
	struct file *file = fake_open_at(topic, &none, 1, 0);
	struct held held = {0};

	held_read(&held, file, 100);
	fake_make_consumer("");
	fake_remove_object(topic);
	held_expect_result(&held, -EIDRM);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_lost_without_servers_ends_in_time)
{
	struct cluster_object *topic = news();
	struct file *file = fake_open_at(topic, &none, 1, 0);
	struct held held = {0};

	host.remote.timeout = 1000 * 1000;
	fake_down();
	held_read(&held, file, 100);
	held_wait(&held);
	held_expect_result(&held, -ETIMEDOUT);
	host.remote.timeout = 0;
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_lost_over_quota_tells_and_loses_nothing)
{
	struct file *file = fake_open_at(news(), &none, 1, 0);
	struct held held = {0};
	const char *key;
	size_t limit = host.users.limits[USER_STORED];

	held_read(&held, file, 100);
	key = fake_make_consumer("");
	host.users.limits[USER_STORED] = 100;
	fake_deliver_at(key, "one", 1);
	held_wait(&held);
	held_expect_result(&held, -ENOBUFS);
	host.users.limits[USER_STORED] = limit;
	must_fail(file_try_read(file, 100), EAGAIN);
	key = fake_make_consumer("\"opt_start_seq\":1");
	fake_deliver_at(key, "one", 1);
	expect(file, 100, "one");
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_subscription_lost_closed_deletes_consumer)
{
	struct file *file = fake_open_at(news(), &none, 1, 0);
	const struct fake_post *last;

	must_fail(file_try_read(file, 100), EAGAIN);
	fake_make_consumer("");
	channel_release(file);
	last = fake_posts->prev;
	ck_assert_msg(strncmp(last->subject, "$JS.API.CONSUMER.DELETE.ipcfs-topics-news.", 41) == 0,
		      "%s", last->subject);
	fake_close_all((struct file *[]){NULL});
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("subscription_lost");

	suite_add(suite, "subscription_lost",
		  (const TTest *[]){
			  test_subscription_lost_counts_what_it_missed,
			  test_subscription_lost_after_link_was_lost_goes_on,
			  test_subscription_lost_without_its_consumer_makes_another,
			  test_subscription_lost_refused_twice_makes_another_consumer,
			  test_subscription_lost_of_a_stream_made_anew_begins_anew,
			  test_subscription_lost_unanswered_read_keeps_message,
			  test_subscription_lost_of_removed_topic_gives_what_it_has,
			  test_subscription_lost_waiting_when_topic_goes_ends,
			  test_subscription_lost_without_servers_ends_in_time,
			  test_subscription_lost_over_quota_tells_and_loses_nothing,
			  test_subscription_lost_closed_deletes_consumer,
			  NULL,
		  });
	return suite_run(suite);
}
