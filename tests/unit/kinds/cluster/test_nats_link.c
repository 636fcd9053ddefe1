// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The link to a real nats-server: it comes up, questions end exactly once, and the server may die
 * at any time.
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

START_TEST(test_nats_link_without_server_waits)
{
	struct nats_post post = {.subject = "x"};
	struct asked asked = {0};

	link_open();
	ck_assert(!nats_link_is_up(the_link));
	ck_assert_uint_eq(nats_link_payload_max(the_link), 0);
	must_fail(nats_link_send(the_link, &post), ENOTCONN);
	must_fail(nats_link_ask(the_link, &asked.ask, &post, CLOCK_S), ENOTCONN);
	server_start(&the_server, NULL);
	link_await(true);
	ck_assert_uint_eq(nats_link_payload_max(the_link), 1024 * 1024);
}
END_TEST

START_TEST(test_nats_link_status_has_no_password)
{
	struct row row = {0};
	const struct row_value *server;

	server_start(&the_server, "authorization { user: u, password: secret }");
	host.remote.servers = "nats://u:secret@127.0.0.1:4222";
	link_open();
	link_await(true);
	nats_link_status(the_link, &row);
	ck_assert_str_eq(row_find(&row, "state")->word, "connected");
	server = row_find(&row, "server");
	ck_assert_ptr_nonnull(strstr(server->text, "127.0.0.1:4222"));
	ck_assert_ptr_null(strstr(server->text, "secret"));
	row_fini(&row);
}
END_TEST

START_TEST(test_nats_link_wrong_password_is_told)
{
	struct row row = {0};

	server_start(&the_server, "authorization { user: u, password: secret }");
	host.remote.servers = "nats://u:wrong@127.0.0.1:4222";
	link_open();
	link_await_error("uthorization");
	nats_link_status(the_link, &row);
	ck_assert_str_eq(row_find(&row, "state")->word, "connecting");
	row_fini(&row);
}
END_TEST

START_TEST(test_nats_link_readable_credentials_are_refused)
{
	static const char path[] = "/dev/shm/creds";
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	fclose(file);
	chmod(path, 0640);
	server_start(&the_server, NULL);
	host.remote.creds = path;
	link_open();
	link_await_error("chmod 600");
}
END_TEST

START_TEST(test_nats_link_question_is_answered)
{
	struct asked asked = {0};

	link_start();
	link_ask(&asked, "$JS.API.INFO", "", 5 * CLOCK_S);
	link_await_answer(&asked);
	ck_assert_int_eq(asked.error, 0);
	ck_assert_ptr_nonnull(strstr(asked.text, "account_info_response"));
	ck_assert_int_eq(asked.n, 1);
}
END_TEST

START_TEST(test_nats_link_headers_arrive)
{
	struct nats_header headers[] = {{"Nats-Msg-Id", "one"}};
	struct nats_post post = {
		.subject = "t.x", .headers = headers, .n_headers = 1, .data = "x", .size = 1};
	struct asked asked[2] = {0};

	link_start();
	link_make_stream();
	for (int i = 0; i < 2; i++) {
		asked[i].ask.answered = link_answered;
		must(nats_link_ask(the_link, &asked[i].ask, &post, 5 * CLOCK_S));
		link_await_answer(&asked[i]);
	}
	ck_assert_str_eq(asked[0].text, "{\"stream\":\"t\", \"seq\":1}");
	ck_assert_str_eq(asked[1].text, "{\"stream\":\"t\", \"seq\":1,\"duplicate\": true}");
}
END_TEST

START_TEST(test_nats_link_nobody_listens_ends_that_question)
{
	struct asked before = {0};
	struct asked nobody[3] = {0};
	struct asked after = {0};

	link_start();
	link_make_stream();
	link_ask(&before, "t.x", "1", 5 * CLOCK_S);
	link_ask(&nobody[0], "nobody.a", "", 5 * CLOCK_S);
	link_ask(&nobody[1], "nobody.b", "", 5 * CLOCK_S);
	link_ask(&nobody[2], "nobody.a", "", 5 * CLOCK_S);
	link_ask(&after, "t.x", "2", 5 * CLOCK_S);
	for (int i = 0; i < 3; i++) {
		link_await_answer(&nobody[i]);
		ck_assert_int_eq(nobody[i].status, 503);
	}
	link_await_answer(&before);
	link_await_answer(&after);
	ck_assert_int_eq(before.status, 0);
	ck_assert_str_eq(before.text, "{\"stream\":\"t\", \"seq\":1}");
	ck_assert_str_eq(after.text, "{\"stream\":\"t\", \"seq\":2}");
}
END_TEST

START_TEST(test_nats_link_many_subjects_are_told_apart)
{
	enum { MANY = 300 };
	static struct asked asked[MANY];
	char subject[32];

	link_start();
	for (int round = 0; round < 2; round++) {
		memset(asked, 0, sizeof(asked));
		for (int i = 0; i < MANY; i++) {
			snprintf(subject, sizeof(subject), "nobody.%d", i);
			link_ask(&asked[i], subject, "", 10 * CLOCK_S);
		}
		for (int i = 0; i < MANY; i++) {
			link_await_answer(&asked[i]);
			ck_assert_int_eq(asked[i].status, 503);
		}
	}
}
END_TEST

START_TEST(test_nats_link_silence_ends_question_in_time)
{
	struct asked asked[2] = {0};
	int64_t begun = clock_now();
	int fd;

	link_start();
	fd = server_dial();
	server_say(fd, "SUB silent 1\r\n");
	link_ask(&asked[0], "silent", "", 300 * CLOCK_MS);
	link_ask(&asked[1], "silent", "", 20 * CLOCK_MS);
	link_await_answer(&asked[1]);
	ck_assert_int_eq(asked[0].n, 0);
	link_await_answer(&asked[0]);
	ck_assert_int_eq(asked[0].error, -ETIMEDOUT);
	ck_assert_int_eq(asked[1].error, -ETIMEDOUT);
	ck_assert_int_ge(clock_now() - begun, 300 * CLOCK_MS);
	close(fd);
}
END_TEST

START_TEST(test_nats_link_forgotten_question_is_not_answered)
{
	struct asked asked = {0};
	struct asked next = {0};

	link_start();
	link_ask(&asked, "$JS.API.INFO", "", 5 * CLOCK_S);
	nats_ask_forget(&asked.ask);
	nats_ask_forget(&asked.ask);
	ck_assert_ptr_null(asked.ask.link);
	link_ask(&next, "$JS.API.INFO", "", 5 * CLOCK_S);
	link_await_answer(&next);
	ck_assert_int_eq(asked.n, 0);
}
END_TEST

START_TEST(test_nats_link_long_message_is_refused)
{
	enum { MOST = 1024 * 1024 };
	CLEANUP_FREE char *data = calloc(1, MOST + 1);
	struct nats_post post = {.subject = "t.x", .data = data, .size = MOST + 1};
	struct asked asked = {.ask.answered = link_answered};

	link_start();
	link_make_stream();
	must_fail(nats_link_ask(the_link, &asked.ask, &post, 5 * CLOCK_S), EMSGSIZE);
	post.size = MOST;
	must(nats_link_ask(the_link, &asked.ask, &post, 5 * CLOCK_S));
	link_await_answer(&asked);
	ck_assert_str_eq(asked.text, "{\"stream\":\"t\", \"seq\":1}");
}
END_TEST

START_TEST(test_nats_link_more_than_the_socket_takes_is_sent)
{
	enum { MANY = 40, SIZE = 1000000 };
	static struct asked asked[MANY];
	CLEANUP_FREE char *data = malloc(SIZE);
	struct nats_post post = {.subject = "t.x", .data = data, .size = SIZE};

	ck_assert_ptr_nonnull(data);
	memset(data, 'x', SIZE);
	link_start();
	link_make_stream();
	for (int i = 0; i < MANY; i++) {
		asked[i].ask.answered = link_answered;
		must(nats_link_ask(the_link, &asked[i].ask, &post, 30 * CLOCK_S));
	}
	for (int i = 0; i < MANY; i++) {
		link_await_answer(&asked[i]);
		ck_assert_int_eq(asked[i].error, 0);
	}
}
END_TEST

/* Messages behind a server that takes nothing, more than may wait to be sent. */
START_TEST(test_nats_link_jammed_link_is_given_up)
{
	enum { MANY = 100, SIZE = 1000000 };
	CLEANUP_FREE char *data = calloc(1, SIZE);
	struct nats_post post = {.subject = "t.x", .data = data, .size = SIZE};
	struct asked asked = {0};
	int error = 0;

	link_start();
	must_call(kill(the_server.pid, SIGSTOP));
	must_call(waitpid(the_server.pid, NULL, WUNTRACED));
	link_ask(&asked, "$JS.API.INFO", "", 50 * CLOCK_S);
	for (int i = 0; i < MANY && !error; i++)
		error = nats_link_send(the_link, &post);
	ck_assert_int_eq(error, -ENOMEM);
	link_await(false);
	kill(the_server.pid, SIGCONT);
	link_await(true);
}
END_TEST

START_TEST(test_nats_link_two_lines_are_refused)
{
	struct nats_post post = {.subject = "a\r\nPUB"};

	link_start();
	must_fail(nats_link_send(the_link, &post), EINVAL);
}
END_TEST

START_TEST(test_nats_link_killed_server_ends_questions)
{
	struct asked asked[2] = {0};
	int fd;

	link_start();
	fd = server_dial();
	server_say(fd, "SUB silent 1\r\n");
	link_ask(&asked[0], "silent", "", 50 * CLOCK_S);
	link_ask(&asked[1], "silent", "", 50 * CLOCK_S);
	asked[0].asks_again = true;
	server_kill(&the_server);
	close(fd);
	link_await(false);
	ck_assert_int_eq(asked[0].error, -ENOTCONN);
	ck_assert_int_eq(asked[1].error, -ENOTCONN);
	ck_assert_int_eq(asked[0].n, 1);
	server_restart(&the_server);
	link_await(true);
	asked[0] = (struct asked){0};
	link_ask(&asked[0], "$JS.API.INFO", "", 5 * CLOCK_S);
	link_await_answer(&asked[0]);
	ck_assert_int_eq(asked[0].error, 0);
}
END_TEST

START_TEST(test_nats_link_stopped_server_is_noticed)
{
	struct asked asked = {0};
	int64_t begun;

	link_start();
	must_call(kill(the_server.pid, SIGSTOP));
	must_call(waitpid(the_server.pid, NULL, WUNTRACED));
	begun = clock_now();
	link_ask(&asked, "$JS.API.INFO", "", 50 * CLOCK_S);
	link_await(false);
	ck_assert_int_eq(asked.error, -ENOTCONN);
	ck_assert_int_lt(clock_now() - begun, 20 * CLOCK_S);
	kill(the_server.pid, SIGCONT);
	link_await(true);
}
END_TEST

START_TEST(test_nats_link_free_ends_silently)
{
	struct asked asked = {0};

	link_start();
	link_ask(&asked, "$JS.API.INFO", "", 5 * CLOCK_S);
	link_close();
	ck_assert_int_eq(asked.n, 0);
	ck_assert_ptr_null(asked.ask.link);
}
END_TEST

START_TEST(test_nats_link_free_sends_what_was_to_be_sent)
{
	struct nats_post post = {.subject = "t.x", .data = "x", .size = 1};
	struct asked asked = {0};

	link_start();
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

int main(void)
{
	const TTest *const tests[] = {
		test_nats_link_without_server_waits,
		test_nats_link_status_has_no_password,
		test_nats_link_wrong_password_is_told,
		test_nats_link_readable_credentials_are_refused,
		test_nats_link_question_is_answered,
		test_nats_link_headers_arrive,
		test_nats_link_nobody_listens_ends_that_question,
		test_nats_link_many_subjects_are_told_apart,
		test_nats_link_silence_ends_question_in_time,
		test_nats_link_forgotten_question_is_not_answered,
		test_nats_link_long_message_is_refused,
		test_nats_link_more_than_the_socket_takes_is_sent,
		test_nats_link_jammed_link_is_given_up,
		test_nats_link_two_lines_are_refused,
		test_nats_link_killed_server_ends_questions,
		test_nats_link_stopped_server_is_noticed,
		test_nats_link_free_ends_silently,
		test_nats_link_free_sends_what_was_to_be_sent,
		NULL,
	};

	if (!server_is_installed())
		return 0;
	return link_run("nats_link", tests);
}
