// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every handler stops the loop, so that whoever waits looks whether what they wait for has come.
 */
#include "tests/unit/kinds/cluster/live_link.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/row.h"

struct server the_server;
struct nats_link *the_link;

static void on_changed(struct nats_listener *listener, bool is_up)
{
	(void)listener;
	(void)is_up;
	loop_stop(loop);
}

static struct nats_listener listener = {.changed = on_changed};

void link_open(void)
{
	if (!host.remote.servers)
		host.remote.servers = SERVER_URL;
	must(nats_link_new(&host, &the_link));
	nats_link_listen(the_link, &listener);
}

void link_close(void)
{
	nats_link_free(TAKE_PTR(the_link));
}

void link_await(bool is_up)
{
	while (nats_link_is_up(the_link) != is_up)
		must(loop_run(loop));
}

static void on_tick(struct loop_source *source, uint32_t events)
{
	(void)source;
	(void)events;
	loop_stop(loop);
}

void link_await_error(const char *text)
{
	struct loop_source tick = {.dispatch = on_tick};
	struct itimerspec time = {.it_interval.tv_nsec = 10 * CLOCK_MS,
				  .it_value.tv_nsec = 10 * CLOCK_MS};
	bool is_told = false;

	tick.fd = (int)must_call(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	must_call(timerfd_settime(tick.fd, 0, &time, NULL));
	must(loop_add(loop, &tick, EPOLLIN));
	while (!is_told) {
		struct row row = {0};
		const struct row_value *error;
		uint64_t n;

		must(loop_run(loop));
		must_call(read(tick.fd, &n, sizeof(n)));
		nats_link_status(the_link, &row);
		error = row_find(&row, "error");
		is_told = error && strstr(error->text, text);
		row_fini(&row);
	}
	loop_remove(loop, &tick);
	close(tick.fd);
}

void link_start(void)
{
	server_start(&the_server, NULL);
	link_open();
	link_await(true);
}

void link_answered(struct nats_ask *ask, const struct nats_message *message, int error)
{
	struct asked *asked = CONTAINER_OF(ask, struct asked, ask);
	struct nats_post post = {.subject = "again"};

	asked->n++;
	asked->error = error;
	if (message) {
		asked->status = message->status;
		snprintf(asked->text, sizeof(asked->text), "%.*s", (int)message->size,
			 message->data);
	}
	if (asked->asks_again)
		must_fail(nats_link_ask(the_link, &asked->ask, &post, CLOCK_S), ENOTCONN);
	loop_stop(loop);
}

void link_ask(struct asked *asked, const char *subject, const char *text, int64_t timeout)
{
	struct nats_post post = {.subject = subject, .data = text, .size = strlen(text)};

	asked->ask.answered = link_answered;
	must(nats_link_ask(the_link, &asked->ask, &post, timeout));
}

void link_await_answer(const struct asked *asked)
{
	while (asked->n == 0)
		must(loop_run(loop));
}

static void ask_and_check(const char *subject, const char *text)
{
	struct asked asked = {0};

	link_ask(&asked, subject, text, 5 * CLOCK_S);
	link_await_answer(&asked);
	ck_assert_int_eq(asked.error, 0);
	ck_assert_msg(!strstr(asked.text, "\"error\""), "%s", asked.text);
}

void link_make_stream(void)
{
	ask_and_check("$JS.API.STREAM.CREATE.t",
		      "{\"name\":\"t\",\"subjects\":[\"t.x\"],\"retention\":\"workqueue\"}");
	ask_and_check("$JS.API.CONSUMER.DURABLE.CREATE.t.c",
		      "{\"stream_name\":\"t\",\"config\":{\"durable_name\":\"c\","
		      "\"ack_policy\":\"explicit\"}}");
}

void link_publish(const char *text)
{
	ask_and_check("t.x", text);
}

static void on_delivered(struct nats_feed *feed, struct nats_delivery *delivery)
{
	struct fed *fed = CONTAINER_OF(feed, struct fed, feed);

	DL_APPEND(fed->deliveries, delivery);
	fed->n++;
	loop_stop(loop);
}

static void on_ended(struct nats_feed *feed, unsigned n, int status)
{
	struct fed *fed = CONTAINER_OF(feed, struct fed, feed);

	fed->n_ended += n;
	fed->status = status;
	loop_stop(loop);
}

void link_feed_open(struct fed *fed)
{
	fed->feed.delivered = on_delivered;
	fed->feed.ended = on_ended;
	must(nats_feed_open(&fed->feed, the_link, "t", "c"));
}

void link_feed_close(struct fed *fed)
{
	nats_feed_close(&fed->feed);
	while (fed->deliveries) {
		struct nats_delivery *delivery = fed->deliveries;

		DL_DELETE(fed->deliveries, delivery);
		nats_delivery_free(delivery);
	}
}

void link_await_fed(const struct fed *fed, unsigned n, unsigned n_ended)
{
	while (fed->n < n || fed->n_ended < n_ended)
		must(loop_run(loop));
	ck_assert_uint_eq(fed->n, n);
	ck_assert_uint_eq(fed->n_ended, n_ended);
}

void link_tell(struct fed *fed, enum nats_verdict verdict)
{
	struct nats_delivery *delivery = fed->deliveries;

	DL_DELETE(fed->deliveries, delivery);
	nats_delivery_tell(delivery, verdict);
	nats_delivery_free(delivery);
}

static void teardown(void)
{
	nats_link_free(TAKE_PTR(the_link));
	if (the_server.dir[0])
		server_fini(&the_server);
}

int link_run(const char *name, const TTest *const tests[])
{
	Suite *suite = suite_create(name);

	tcase_add_checked_fixture(suite_add(suite, name, tests), NULL, teardown);
	return suite_run(suite);
}
