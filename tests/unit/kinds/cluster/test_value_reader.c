// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Readers of a value: the value and then its end, a new question for each read, and who is told of
 * changes.
 */
#include "lib/kinds/cluster/value_reader.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/kinds/cluster/fake_object.h"
#include "tests/unit/objects.h"

#define QUESTION "$JS.API.STREAM.MSG.GET.KV_ipcfs-values-news"
#define NO_VALUE                                                       \
	"{\"error\":{\"code\":404,\"err_code\":10037,\"description\":" \
	"\"no message found\"}}"
/* "one" and "second" in base64. */
#define ONE    "b25l"
#define SECOND "c2Vjb25k"

static struct cluster_object *news(void)
{
	return fake_object(&cluster_value_kind, CLUSTER_VALUES);
}

/* Answers the question for the value. */
static void answer(const char *base64, unsigned revision)
{
	char text[256];

	snprintf(text, sizeof(text),
		 "{\"message\":{\"subject\":\"$KV.ipcfs-values-news.value\",\"seq\":%u,"
		 "\"data\":\"%s\",\"time\":\"2026-11-28T16:00:00Z\"}}",
		 revision, base64);
	fake_answer(fake_wait_for(QUESTION), text, 0);
	loop_settle();
}

static void expect_end(struct file *file)
{
	ck_assert_int_eq(must(file_try_read(file, 100)), 0);
}

/* Reads, gets this value, and then its end. */
static void expect_value(struct file *file, const char *base64, unsigned revision, const char *text)
{
	struct held held = {0};

	held_read(&held, file, 100);
	answer(base64, revision);
	held_expect(&held, text);
	expect_end(file);
}

START_TEST(test_value_reader_gives_value_and_end)
{
	struct file *file = fake_open_plain(news(), O_RDONLY);

	expect_value(file, ONE, 1, "one");
	expect_value(file, SECOND, 2, "second");
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_value_reader_gives_rest_before_end)
{
	struct file *file = fake_open_plain(news(), O_RDONLY);
	struct held held = {0};

	held_read(&held, file, 2);
	answer(SECOND, 1);
	held_expect(&held, "se");
	file_expect(file, 2, "co");
	file_expect(file, 100, "nd");
	expect_end(file);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_value_reader_of_same_value_gives_end_alone)
{
	struct file *file = fake_open_plain(news(), O_RDONLY);
	struct held held = {0};

	expect_value(file, ONE, 1, "one");
	held_read(&held, file, 100);
	answer(ONE, 1);
	held_expect(&held, "");
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_value_reader_of_nothing_gives_end)
{
	struct file *file = fake_open_plain(news(), O_RDONLY);
	struct held held = {0};

	held_read(&held, file, 100);
	fake_answer(fake_wait_for(QUESTION), NO_VALUE, 0);
	loop_settle();
	held_expect(&held, "");
	expect_value(file, ONE, 1, "one");
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

/* Nobody gets the answer to a question that was asked for somebody else. */
START_TEST(test_value_reader_interrupted_forgets_question)
{
	struct file *file = fake_open_plain(news(), O_RDONLY);
	struct held held = {0};

	held_read(&held, file, 100);
	fake_wait_for(QUESTION);
	transfer_cancel(&held.transfer);
	loop_settle();
	ck_assert_uint_eq(fake_n_asked(QUESTION), 0);
	expect_value(file, ONE, 1, "one");
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_value_reader_unanswered_read_asks_again)
{
	struct file *file = fake_open_plain(news(), O_RDONLY);
	struct held held = {.is_deaf = true};

	held_read(&held, file, 100);
	answer(ONE, 1);
	expect_value(file, ONE, 1, "one");
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_value_reader_that_does_not_wait_gets_answer_later)
{
	struct file *file = fake_open_plain(news(), O_RDONLY | O_NONBLOCK);

	must_fail(file_try_read(file, 100), EAGAIN);
	loop_settle();
	must_fail(file_try_read(file, 100), EAGAIN);
	answer(ONE, 1);
	file_expect(file, 100, "one");
	expect_end(file);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_value_reader_polled_is_told_of_change)
{
	struct file *file = fake_open_plain(news(), O_RDONLY);
	struct watch watch = {0};
	const char *key;

	expect_value(file, ONE, 1, "one");
	ck_assert_uint_eq(channel_poll(file), 0);
	watch_start(&watch, file);
	key = fake_make_consumer("\"headers_only\":true");
	fake_deliver_at(key, "", 1);
	loop_settle();
	answer(ONE, 1);
	ck_assert_uint_eq(watch.n, 0);
	fake_deliver_at(key, "", 2);
	answer(SECOND, 2);
	watch_wait(&watch, 1);
	ck_assert_uint_eq(channel_poll(file), EPOLLIN | EPOLLRDNORM);
	file_expect(file, 100, "second");
	expect_end(file);
	ck_assert_uint_eq(channel_poll(file), 0);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_value_reader_polled_first_has_value)
{
	struct file *file = fake_open_plain(news(), O_RDONLY);
	struct watch watch = {0};

	ck_assert_uint_eq(channel_poll(file), 0);
	watch_start(&watch, file);
	answer(ONE, 1);
	watch_wait(&watch, 1);
	file_expect(file, 100, "one");
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_value_reader_without_link_waits_and_asks)
{
	struct file *file = fake_open_plain(news(), O_RDONLY);
	struct held held[2] = {0};

	held_read(&held[0], file, 100);
	fake_wait_for(QUESTION);
	fake_down();
	loop_settle();
	fake_up();
	answer(ONE, 1);
	held_expect(&held[0], "one");
	expect_end(file);
	fake_down();
	held_read(&held[1], file, 100);
	loop_settle();
	fake_up();
	answer(SECOND, 2);
	held_expect(&held[1], "second");
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_value_reader_without_servers_ends_in_time)
{
	struct file *file = fake_open_plain(news(), O_RDONLY);
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

START_TEST(test_value_reader_of_removed_value_ends)
{
	struct cluster_object *value = news();
	struct file *file = fake_open_plain(value, O_RDONLY);
	struct held held = {0};

	held_read(&held, file, 100);
	fake_wait_for(QUESTION);
	fake_remove_object(value);
	held_expect_result(&held, -EIDRM);
	must_fail(file_try_read(file, 100), EIDRM);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_value_reader_told_nonsense_fails)
{
	static const char *const texts[] = {"", "{", "[]", "{\"message\":{}}",
					    "{\"message\":{\"seq\":-1,\"data\":\"%%\"}}"};
	struct file *file = fake_open_plain(news(), O_RDONLY);
	struct held held = {0};

	held_read(&held, file, 100);
	fake_answer(fake_wait_for(QUESTION), texts[_i], 0);
	loop_settle();
	ck_assert_uint_eq(held.n, 1);
	fake_close_all((struct file *[]){file, NULL});
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("value_reader");

	suite_add(suite, "value_reader",
		  (const TTest *[]){
			  test_value_reader_gives_value_and_end,
			  test_value_reader_gives_rest_before_end,
			  test_value_reader_of_same_value_gives_end_alone,
			  test_value_reader_of_nothing_gives_end,
			  test_value_reader_interrupted_forgets_question,
			  test_value_reader_unanswered_read_asks_again,
			  test_value_reader_that_does_not_wait_gets_answer_later,
			  test_value_reader_polled_is_told_of_change,
			  test_value_reader_polled_first_has_value,
			  test_value_reader_without_link_waits_and_asks,
			  test_value_reader_without_servers_ends_in_time,
			  test_value_reader_of_removed_value_ends,
			  NULL,
		  });
	suite_add_loop(suite, "nonsense",
		       (const TTest *[]){test_value_reader_told_nonsense_fails, NULL}, 5);
	return suite_run(suite);
}
