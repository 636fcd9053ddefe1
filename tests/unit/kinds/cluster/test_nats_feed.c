// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Feeds: what was pulled comes, and what does not come is told.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "tests/unit/kinds/cluster/live_link.h"

static void start(struct fed *fed)
{
	link_start();
	link_make_stream();
	link_feed_open(fed);
}

START_TEST(test_nats_feed_delivers_what_was_pulled)
{
	struct fed fed = {0};
	struct nats_delivery *first;

	start(&fed);
	link_publish("one");
	link_publish("two");
	link_publish("three");
	must(nats_feed_pull(&fed.feed, 2, 0, 20 * CLOCK_S));
	link_await_fed(&fed, 2, 0);
	ck_assert_uint_eq(fed.feed.n_pulled, 0);
	first = fed.deliveries;
	ck_assert_str_eq(first->data, "one");
	ck_assert_uint_eq(first->size, 3);
	ck_assert_uint_eq(first->sequence, 1);
	ck_assert_uint_eq(first->n_delivered, 1);
	ck_assert_uint_eq(first->n_pending, 2);
	ck_assert_int_gt(first->time, 0);
	ck_assert_str_eq(first->next->data, "two");
	link_feed_close(&fed);
}
END_TEST

START_TEST(test_nats_feed_acknowledged_is_gone_and_refused_comes_again)
{
	struct fed fed = {0};

	start(&fed);
	link_publish("one");
	link_publish("two");
	must(nats_feed_pull(&fed.feed, 2, 0, 20 * CLOCK_S));
	link_await_fed(&fed, 2, 0);
	link_tell(&fed, NATS_ACK);
	link_tell(&fed, NATS_NAK);
	must(nats_feed_pull(&fed.feed, 1, 0, 20 * CLOCK_S));
	link_await_fed(&fed, 3, 0);
	ck_assert_str_eq(fed.deliveries->data, "two");
	ck_assert_uint_eq(fed.deliveries->n_delivered, 2);
	link_tell(&fed, NATS_PROGRESS);
	link_feed_close(&fed);
}
END_TEST

START_TEST(test_nats_feed_without_messages_ends)
{
	struct fed fed = {0};

	start(&fed);
	link_publish("one");
	must(nats_feed_pull(&fed.feed, 3, 0, 0));
	link_await_fed(&fed, 1, 2);
	ck_assert(fed.status == 404 || fed.status == 408);
	must(nats_feed_pull(&fed.feed, 3, 0, 100 * CLOCK_MS));
	link_await_fed(&fed, 1, 5);
	ck_assert_int_eq(fed.status, 408);
	ck_assert_uint_eq(fed.feed.n_pulled, 0);
	ck_assert_ptr_null(fed.feed.pulls);
	link_feed_close(&fed);
}
END_TEST

START_TEST(test_nats_feed_two_pulls_are_served_in_turn)
{
	struct fed fed = {0};

	start(&fed);
	must(nats_feed_pull(&fed.feed, 5, 0, 300 * CLOCK_MS));
	must(nats_feed_pull(&fed.feed, 5, 0, 600 * CLOCK_MS));
	for (int i = 0; i < 4; i++)
		link_publish("x");
	link_await_fed(&fed, 4, 3);
	ck_assert_uint_eq(fed.feed.n_pulled, 3);
	link_await_fed(&fed, 4, 6);
	ck_assert_uint_eq(fed.feed.n_pulled, 0);
	ck_assert_ptr_null(fed.feed.pulls);
	link_feed_close(&fed);
}
END_TEST

START_TEST(test_nats_feed_closed_gives_back)
{
	struct fed fed = {0};

	start(&fed);
	must(nats_feed_pull(&fed.feed, 1, 0, 20 * CLOCK_S));
	link_feed_close(&fed);
	ck_assert_ptr_null(fed.feed.link);
	nats_feed_close(&fed.feed);
	/* What was pulled comes when nobody wants it. The server gives it again, at once. */
	link_publish("one");
	fed = (struct fed){0};
	link_feed_open(&fed);
	must(nats_feed_pull(&fed.feed, 1, 0, 20 * CLOCK_S));
	link_await_fed(&fed, 1, 0);
	ck_assert_str_eq(fed.deliveries->data, "one");
	link_feed_close(&fed);
}
END_TEST

START_TEST(test_nats_feed_of_one_consumer_is_one)
{
	struct fed fed = {0};
	struct nats_feed other = {0};

	start(&fed);
	must_fail(nats_feed_open(&other, the_link, "t", "c"), EEXIST);
	link_feed_close(&fed);
}
END_TEST

/* Waits until the server has this many pulls: it says nothing to one that it has yet to look at. */
static void await_pulls(int n)
{
	char waiting[32];
	struct asked asked;

	snprintf(waiting, sizeof(waiting), "\"num_waiting\":%d", n);
	do {
		asked = (struct asked){0};
		link_ask(&asked, "$JS.API.CONSUMER.INFO.t.c", "", 5 * CLOCK_S);
		link_await_answer(&asked);
	} while (!strstr(asked.text, waiting));
}

START_TEST(test_nats_feed_deleted_consumer_ends_pulls)
{
	struct fed fed = {0};
	struct asked asked = {0};

	start(&fed);
	must(nats_feed_pull(&fed.feed, 3, 0, 20 * CLOCK_S));
	must(nats_feed_pull(&fed.feed, 2, 0, 20 * CLOCK_S));
	await_pulls(2);
	link_ask(&asked, "$JS.API.CONSUMER.DELETE.t.c", "", 5 * CLOCK_S);
	link_await_fed(&fed, 0, 5);
	ck_assert_int_eq(fed.status, 409);
	link_await_answer(&asked);
	link_feed_close(&fed);
}
END_TEST

START_TEST(test_nats_feed_of_no_consumer_ends_by_the_clock)
{
	struct fed fed = {0};

	link_start();
	link_feed_open(&fed);
	must(nats_feed_pull(&fed.feed, 3, 0, CLOCK_MS));
	link_await_fed(&fed, 0, 3);
	ck_assert_int_eq(fed.status, 503);
	link_feed_close(&fed);
}
END_TEST

START_TEST(test_nats_feed_ends_with_the_link)
{
	struct fed fed = {0};

	start(&fed);
	link_publish("one");
	must(nats_feed_pull(&fed.feed, 5, 0, 20 * CLOCK_S));
	link_await_fed(&fed, 1, 0);
	server_kill(&the_server);
	link_await_fed(&fed, 1, 4);
	ck_assert_int_eq(fed.status, -ENOTCONN);
	must_fail(nats_feed_pull(&fed.feed, 1, 0, CLOCK_S), ENOTCONN);
	server_restart(&the_server);
	link_await(true);
	/* The server knows nothing of it: an acknowledgement of before would be another's. */
	link_tell(&fed, NATS_ACK);
	must(nats_feed_pull(&fed.feed, 1, 0, 20 * CLOCK_S));
	link_feed_close(&fed);
}
END_TEST

START_TEST(test_nats_feed_limit_of_bytes_is_kept)
{
	struct fed fed = {0};

	start(&fed);
	link_publish("0123456789");
	link_publish("0123456789");
	must(nats_feed_pull(&fed.feed, 2, 100, 200 * CLOCK_MS));
	link_await_fed(&fed, 1, 1);
	link_feed_close(&fed);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_nats_feed_delivers_what_was_pulled,
		test_nats_feed_acknowledged_is_gone_and_refused_comes_again,
		test_nats_feed_without_messages_ends,
		test_nats_feed_two_pulls_are_served_in_turn,
		test_nats_feed_closed_gives_back,
		test_nats_feed_of_one_consumer_is_one,
		test_nats_feed_deleted_consumer_ends_pulls,
		test_nats_feed_of_no_consumer_ends_by_the_clock,
		test_nats_feed_ends_with_the_link,
		test_nats_feed_limit_of_bytes_is_kept,
		NULL,
	};

	if (!server_is_installed())
		return 0;
	return link_run("nats_feed", tests);
}
