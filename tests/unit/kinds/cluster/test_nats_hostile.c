// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What others send: any client may send anything to our inbox, and a server may be none.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/kinds/cluster/nats_state.h"
#include "tests/unit/kinds/cluster/live_link.h"

/* Sends a message to `subject`, with this reply subject, headers and data. */
static void publish(int fd, const char *subject, const char *reply, const char *headers)
{
	char text[4096];

	snprintf(text, sizeof(text), "HPUB %s %s %zu %zu\r\n%sxx\r\n", subject, reply,
		 strlen(headers), strlen(headers) + 2, headers);
	server_say(fd, text);
}

static void expect_all_is_well(void)
{
	struct asked asked = {0};

	link_ask(&asked, "$JS.API.INFO", "", 20 * CLOCK_S);
	link_await_answer(&asked);
	ck_assert_int_eq(asked.error, 0);
	ck_assert_int_eq(asked.status, 0);
}

START_TEST(test_nats_hostile_messages_do_no_harm)
{
	static const char *const ends[] = {
		"1",   "1.0", "1.1",  "1.2", "1.3",
		"1.4", "1.5", "1.-1", "1.x", "1.99999999999999999999999",
		"2.1", "0.0",
	};
	static const char *const replies[] = {
		"",
		"x",
		"$JS.ACK.t.c.1.1.1.1.0",
		"$JS.ACK.a.b.c",
		"$JS.ACK.t.c.-1.x.1.1.0",
		"$JS.ACK.d.h.t.c.99999999999999999999999.1.1.1.0.x",
	};
	static const char *const headers[] = {
		"NATS/1.0\r\n\r\n",
		"NATS/1.0 503\r\n\r\n",
		"NATS/1.0 408 x\r\n\r\n",
		"NATS/1.0 409 x\r\nNats-Pending-Messages: -5\r\n\r\n",
		"NATS/1.0 408 x\r\nNats-Pending-Messages: 99999999999999999999\r\n\r\n",
		"NATS/1.0 9\r\n\r\n",
		"x\r\n\r\n",
		"NATS/1.0\r\n:\r\n \r\nx\r\n\r\n",
		"NATS/1.0\r\nStatus: \r\nStatus: 4\r\n\r\n",
		"NATS/1.0",
	};
	struct fed fed = {0};
	char subject[128];
	int fd;

	link_start();
	link_make_stream();
	link_feed_open(&fed);
	must(nats_feed_pull(&fed.feed, 3, 0, 20 * CLOCK_S));
	fd = server_dial();
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		for (size_t j = 0; j < sizeof(replies) / sizeof(replies[0]); j++)
			for (size_t k = 0; k < sizeof(headers) / sizeof(headers[0]); k++) {
				snprintf(subject, sizeof(subject), "%s.%s",
					 the_link->connection->inbox, ends[i]);
				publish(fd, subject, replies[j], headers[k]);
			}
	expect_all_is_well();
	ck_assert_uint_eq(fed.n, 0);
	link_feed_close(&fed);
	close(fd);
}
END_TEST

/* Someone who sees the inbox can answer in the server's place, but only once. */
START_TEST(test_nats_hostile_forged_answers_end_question_once)
{
	struct asked asked = {0};
	char subject[128];
	int fd;

	link_start();
	fd = server_dial();
	server_say(fd, "SUB silent 1\r\n");
	link_ask(&asked, "silent", "", 20 * CLOCK_S);
	expect_all_is_well();
	for (int i = 0; i < 3; i++) {
		snprintf(subject, sizeof(subject), "%s.7.%lu", the_link->connection->inbox,
			 asked.ask.number);
		publish(fd, subject, "", "NATS/1.0\r\n\r\n");
		snprintf(subject, sizeof(subject), "%s.2.%lu", the_link->connection->inbox,
			 asked.ask.number);
		publish(fd, subject, "", "NATS/1.0\r\nx: \r\n\r\n");
	}
	link_await_answer(&asked);
	expect_all_is_well();
	ck_assert_int_eq(asked.error, 0);
	ck_assert_int_eq(asked.status, 0);
	ck_assert_int_eq(asked.n, 1);
	ck_assert_str_eq(asked.text, "xx");
	close(fd);
}
END_TEST

START_TEST(test_nats_hostile_flood_is_not_kept)
{
	enum { N = 300, SIZE = 1000000 };
	static char message[SIZE + 256];
	size_t length;
	int fd;

	link_start();
	expect_all_is_well(); /* the slot is idle then */
	fd = server_dial();
	length = (size_t)snprintf(message, sizeof(message), "PUB %s.1.5 %d\r\n",
				  the_link->connection->inbox, SIZE);
	memset(message + length, 'x', SIZE);
	memcpy(message + length + SIZE, "\r\n", 2);
	for (int i = 0; i < N; i++) {
		int msgs = 0, bytes = 0;

		server_say_bytes(fd, message, length + SIZE + 2);
		expect_all_is_well();
		natsSubscription_GetPending(the_link->connection->slots->sub, &msgs, &bytes);
		ck_assert_int_eq(msgs, 0);
	}
	close(fd);
}
END_TEST

/* Serves one client after another with a greeting and then with noise. Never returns. */
static void serve_noise(int listener, const char *noise, size_t size)
{
	static const char info[] = "INFO {\"server_id\":\"x\",\"version\":\"2.9.10\",\"proto\":1,"
				   "\"headers\":true,\"max_payload\":1048576}\r\n";
	char text[4096];

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		ssize_t n = write(fd, info, strlen(info));

		n = read(fd, text, sizeof(text));
		n = write(fd, "PONG\r\n", 6);
		n = write(fd, noise, size);
		shutdown(fd, SHUT_WR);
		while (n > 0)
			n = read(fd, text, sizeof(text));
		close(fd);
	}
}

static pid_t start_noise(const char *noise, size_t size)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(4222),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener = (int)must_call(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	int on = 1;
	pid_t pid;

	must_call(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)));
	must_call(bind(listener, (struct sockaddr *)&address, sizeof(address)));
	must_call(listen(listener, 16));
	pid = (pid_t)must_call(fork());
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve_noise(listener, noise, size);
	}
	close(listener);
	return pid;
}

/* The link comes up and goes down, and is none the worse for it. */
static void expect_noise_is_survived(const char *noise, size_t size)
{
	pid_t pid = start_noise(noise, size);

	link_open();
	link_await(true);
	link_await(false);
	link_close();
	kill(pid, SIGKILL);
	must_call(waitpid(pid, NULL, 0));
}

static const char *const noises[] = {
	"",
	"PING\r\nPING\r\nPING\r\n",
	"MSG\r\n",
	"MSG a 1 -5\r\n",
	"MSG a 1 2\r\nhello\r\n",
	"HMSG a 1 99 3\r\nabc\r\n",
	"HMSG a 1 -1 -1\r\n\r\n",
	"MSG a 99 3\r\nabc\r\nMSG a 99",
	"+OK\r\n+OK\r\n-ERR 'nobody knows'\r\n",
	"-ERR 'Permissions Violation for Publish to \"x\"'\r\n",
	"INFO {\"max_payload\":-1}\r\n",
	"INFO {\r\nINFO\r\n",
	"INFO [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\r\n",
};

START_TEST(test_nats_hostile_server_is_survived)
{
	for (size_t i = 0; i < sizeof(noises) / sizeof(noises[0]); i++)
		expect_noise_is_survived(noises[i], strlen(noises[i]));
}
END_TEST

START_TEST(test_nats_hostile_random_server_is_survived)
{
	char noise[4096];

	must_call(getrandom(noise, sizeof(noise), 0));
	expect_noise_is_survived(noise, sizeof(noise));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_nats_hostile_messages_do_no_harm,
		test_nats_hostile_forged_answers_end_question_once,
		test_nats_hostile_flood_is_not_kept,
		test_nats_hostile_server_is_survived,
		test_nats_hostile_random_server_is_survived,
		NULL,
	};

	if (!server_is_installed())
		return 0;
	return link_run("nats_hostile", tests);
}
