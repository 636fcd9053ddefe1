// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The link with TLS, which another thread reads and writes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/row.h"
#include "tests/unit/kinds/cluster/live_link.h"

#define CERT "/dev/shm/cert"
#define KEY  "/dev/shm/key"

static const char config[] = "tls { cert_file: \"" CERT "\", key_file: \"" KEY "\" }";

static void make_certificate(const char *name, const char *cert)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
		 " -subj /CN=%s -addext subjectAltName=DNS:%s -keyout " KEY " -out %s 2> /dev/null",
		 name, name, cert);
	ck_assert_int_eq(system(command), 0);
}

static void start(void)
{
	make_certificate("localhost", CERT);
	server_start(&the_server, config);
	host.remote.servers = "nats://localhost:4222";
	host.remote.ca = CERT;
	link_open();
	link_await(true);
}

START_TEST(test_nats_tls_question_is_answered)
{
	struct asked asked = {0};
	struct asked nobody = {0};

	start();
	ck_assert_uint_eq(nats_link_payload_max(the_link), 1024 * 1024);
	link_ask(&asked, "$JS.API.INFO", "", 5 * CLOCK_S);
	link_ask(&nobody, "nobody.x", "", 5 * CLOCK_S);
	link_await_answer(&asked);
	link_await_answer(&nobody);
	ck_assert_ptr_nonnull(strstr(asked.text, "account_info_response"));
	ck_assert_int_eq(nobody.status, 503);
}
END_TEST

START_TEST(test_nats_tls_long_messages_go_both_ways)
{
	enum { MANY = 20, SIZE = 1000000 };
	static struct asked asked[MANY];
	CLEANUP_FREE char *data = malloc(SIZE);
	struct nats_header headers[] = {{"Nats-Msg-Id", "0"}};
	struct nats_post post = {
		.subject = "t.x", .headers = headers, .n_headers = 1, .data = data, .size = SIZE};
	struct fed fed = {0};

	ck_assert_ptr_nonnull(data);
	memset(data, 'x', SIZE);
	start();
	link_make_stream();
	for (int i = 0; i < MANY; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%d", i);
		headers[0].value = id;
		asked[i].ask.answered = link_answered;
		must(nats_link_ask(the_link, &asked[i].ask, &post, 30 * CLOCK_S));
	}
	for (int i = 0; i < MANY; i++) {
		link_await_answer(&asked[i]);
		ck_assert_int_eq(asked[i].error, 0);
	}
	link_feed_open(&fed);
	must(nats_feed_pull(&fed.feed, MANY, 0, 20 * CLOCK_S));
	link_await_fed(&fed, MANY, 0);
	ck_assert_uint_eq(fed.deliveries->size, SIZE);
	ck_assert_int_eq(memcmp(fed.deliveries->data, data, SIZE), 0);
	ck_assert_str_eq(nats_delivery_header(fed.deliveries, "Nats-Msg-Id"), "0");
	link_tell(&fed, NATS_ACK);
	link_feed_close(&fed);
}
END_TEST

START_TEST(test_nats_tls_killed_server_ends_questions)
{
	struct asked asked = {0};

	start();
	link_ask(&asked, "$JS.API.INFO", "", 50 * CLOCK_S);
	server_kill(&the_server);
	link_await(false);
	ck_assert_int_eq(asked.n, 1);
	server_restart(&the_server);
	link_await(true);
}
END_TEST

START_TEST(test_nats_tls_stopped_server_does_not_stop_the_loop)
{
	enum { MANY = 30, SIZE = 1000000 };
	static struct asked asked[MANY];
	CLEANUP_FREE char *data = calloc(1, SIZE);
	struct nats_post post = {.subject = "t.x", .data = data, .size = SIZE};
	struct asked soon = {0};
	int64_t begun;

	start();
	must_call(kill(the_server.pid, SIGSTOP));
	must_call(waitpid(the_server.pid, NULL, WUNTRACED));
	begun = clock_now();
	for (int i = 0; i < MANY; i++) {
		asked[i].ask.answered = link_answered;
		must(nats_link_ask(the_link, &asked[i].ask, &post, 50 * CLOCK_S));
	}
	/* The thread waits in the middle of a message, and the loop goes on. */
	link_ask(&soon, "t.x", "", 100 * CLOCK_MS);
	link_await_answer(&soon);
	ck_assert_int_eq(soon.error, -ETIMEDOUT);
	link_await(false);
	ck_assert_int_eq(asked[MANY - 1].error, -ENOTCONN);
	ck_assert_int_lt(clock_now() - begun, 20 * CLOCK_S);
	kill(the_server.pid, SIGCONT);
	link_await(true);
}
END_TEST

START_TEST(test_nats_tls_free_sends_what_was_to_be_sent)
{
	struct nats_post post = {.subject = "t.x", .data = "x", .size = 1};
	struct asked asked = {0};

	start();
	link_make_stream();
	must(nats_link_send(the_link, &post));
	link_close();
	link_open();
	link_await(true);
	link_ask(&asked, "$JS.API.STREAM.INFO.t", "", 5 * CLOCK_S);
	link_await_answer(&asked);
	ck_assert_ptr_nonnull(strstr(asked.text, "\"messages\":1,"));
}
END_TEST

START_TEST(test_nats_tls_other_name_is_refused)
{
	make_certificate("elsewhere", CERT);
	server_start(&the_server, config);
	host.remote.servers = "nats://localhost:4222";
	host.remote.ca = CERT;
	link_open();
	link_await_error("SSL");
	ck_assert(!nats_link_is_up(the_link));
}
END_TEST

START_TEST(test_nats_tls_unknown_authority_is_refused)
{
	make_certificate("localhost", "/dev/shm/other");
	make_certificate("localhost", CERT);
	server_start(&the_server, config);
	host.remote.servers = "nats://localhost:4222";
	host.remote.ca = "/dev/shm/other";
	link_open();
	link_await_error("SSL");
	ck_assert(!nats_link_is_up(the_link));
}
END_TEST

START_TEST(test_nats_tls_server_without_it_is_refused)
{
	make_certificate("localhost", CERT);
	server_start(&the_server, NULL);
	host.remote.servers = "nats://localhost:4222";
	host.remote.ca = CERT;
	link_open();
	link_await_error("Secure Connection not available");
	ck_assert(!nats_link_is_up(the_link));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_nats_tls_question_is_answered,
		test_nats_tls_long_messages_go_both_ways,
		test_nats_tls_killed_server_ends_questions,
		test_nats_tls_stopped_server_does_not_stop_the_loop,
		test_nats_tls_free_sends_what_was_to_be_sent,
		test_nats_tls_other_name_is_refused,
		test_nats_tls_unknown_authority_is_refused,
		test_nats_tls_server_without_it_is_refused,
		NULL,
	};

	if (!server_is_installed())
		return 0;
	return link_run("nats_tls", tests);
}
