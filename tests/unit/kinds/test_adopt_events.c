/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of a daemon that was killed: the next one has each value once, wherever that was.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/kinds/event.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

enum { VALUE, MODE, SEMAPHORE = 1 };
enum { REQUEST = 77 };

static struct file *file;

static void make(const char *text)
{
	file = object_make_open(adopt_open(&event_kind), "e", O_RDWR);
	if (text)
		file_put(file, text);
	host.journal->request = REQUEST;
}

static int counter(void)
{
	return event_fd(event_from(file->channel));
}

static void restart(void)
{
	adopt_restart();
	file = adopted_file(file);
	ck_assert_ptr_nonnull(file);
}

static void expect_empty(void)
{
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}

static void set(unsigned index, uint64_t value)
{
	struct settings settings = {.given = 1U << index};

	settings.values[index] = value;
	must(channel_set(file->channel, &settings, &root));
}

START_TEST(test_adopt_events_value_and_descriptor_stay)
{
	int fd;

	make("2\n");
	fd = counter();
	restart();
	ck_assert_int_eq(counter(), fd);
	file_put(file, "40");
	file_expect(file, 100, "42\n");
	must(object_lookup(adopted_space(&event_kind), "e", NULL));
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 1);
	expect_empty();
}
END_TEST

START_TEST(test_adopt_events_wakes_reader)
{
	struct held held = {0};

	make(NULL);
	restart();
	held_read(&held, file, 100);
	must_call(eventfd_write(counter(), 5));
	held_wait(&held);
	held_expect(&held, "5\n");
	expect_empty();
}
END_TEST

START_TEST(test_adopt_events_without_a_name_ends_with_its_file)
{
	make("2\n");
	must(space_remove(file->channel->space, "e", &root));
	restart();
	ck_assert_int_eq(space_count(adopted_space(&event_kind)), 0);
	file_expect(file, 100, "2\n");
	expect_empty();
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_CHANNELS), 0);
}
END_TEST

START_TEST(test_adopt_events_semaphore_stays_one)
{
	make("2\n");
	set(MODE, SEMAPHORE);
	restart();
	file_expect(file, 100, "1\n");
	restart();
	file_expect(file, 100, "1\n");
	expect_empty();
}
END_TEST

START_TEST(test_adopt_events_despite_lower_limits)
{
	make("2\n");
	host.users.limits[USER_DESCRIPTORS] = 0;
	host.users.limits[USER_CHANNELS] = 0;
	restart();
	ck_assert_uint_eq(adopt_n_lost, 0);
	file_expect(file, 100, "2\n");
	expect_empty();
}
END_TEST

/* The journal has the value, but the reader has not. */
START_TEST(test_adopt_events_killed_when_value_was_taken)
{
	make("42\n");
	journal_read(file, REQUEST, JOURNAL_RECEIVE, 0, 100);
	must_call(eventfd_read(counter(), &host.journal->word));
	adopt_again(REQUEST);
	restart();
	file_expect(file, 100, "42\n");
	expect_empty();
}
END_TEST

START_TEST(test_adopt_events_killed_before_value_was_taken)
{
	make("42\n");
	file_expect(file, 100, "42\n");
	file_put(file, "1");
	journal_read(file, REQUEST, JOURNAL_RECEIVE, 0, 100);
	adopt_again(REQUEST);
	restart();
	file_expect(file, 100, "1\n");
	expect_empty();
}
END_TEST

/* Tries a reader that was answered, and one that was not. */
START_TEST(test_adopt_events_killed_when_reader_was_answered_or_not)
{
	make("42\n");
	ck_assert_int_eq(file_try_read(file, 100), 3);
	if (_i)
		adopt_again(REQUEST);
	restart();
	if (_i)
		file_expect(file, 100, "42\n");
	expect_empty();
}
END_TEST

/* Begins to write `text` to an event that has been used before. */
static void begin_write(uint64_t value)
{
	make("3\n");
	file_expect(file, 100, "3\n");
	channel_given(file, true);
	file_put(file, "4\n");
	journal_write(file, 0);
	host.journal->place = value;
	adopt_again(REQUEST);
}

START_TEST(test_adopt_events_killed_before_write)
{
	begin_write(5);
	restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), 0);
	file_expect(file, 100, "4\n");
	expect_empty();
}
END_TEST

START_TEST(test_adopt_events_killed_after_write)
{
	begin_write(5);
	must_call(eventfd_write(counter(), 5));
	restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), SIZE_MAX);
	file_expect(file, 100, "9\n");
	expect_empty();
}
END_TEST

/* The write has been counted, and with _i its sum, too. */
START_TEST(test_adopt_events_killed_after_write_was_counted)
{
	begin_write(5);
	must_call(eventfd_write(counter(), 5));
	file->channel->record->words[EVENT_WRITTEN]++;
	if (_i)
		file->channel->record->words[EVENT_SUM] += 5;
	restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), SIZE_MAX);
	file_expect(file, 100, "9\n");
	expect_empty();
}
END_TEST

/* A native program has taken all. */
START_TEST(test_adopt_events_killed_after_write_that_others_took)
{
	eventfd_t value;

	begin_write(5);
	must_call(eventfd_write(counter(), 5));
	must_call(eventfd_read(counter(), &value));
	restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), SIZE_MAX);
	expect_empty();
}
END_TEST

START_TEST(test_adopt_events_killed_in_a_write_that_has_to_wait)
{
	make("18446744073709551614");
	journal_write(file, 0);
	adopt_again(REQUEST);
	must_fail(channel_write(file, "5", 1, 0), EAGAIN);
	restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), 0);
	file_expect(file, 100, "18446744073709551614\n");
	expect_empty();
}
END_TEST

/* The write is another's, and that one says nothing of this event. */
START_TEST(test_adopt_events_write_to_another)
{
	struct file *other;

	make("3\n");
	host.journal->request = 0;
	other = object_make_open(file->channel->space, "f", O_RDWR);
	host.journal->request = REQUEST;
	journal_write(other, 0);
	adopt_again(REQUEST);
	file_put(other, "6\n");
	must_call(eventfd_write(counter(), 1));
	restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), SIZE_MAX);
	ck_assert_uint_eq(file->channel->record->words[EVENT_WRITTEN], 1);
	other = adopted_file(other);
	file_expect(other, 100, "6\n");
	object_close(other);
	file_expect(file, 100, "4\n");
	expect_empty();
}
END_TEST

/* What can't be right is lost, with its files: no descriptor, a wrong one, and one half made. */
START_TEST(test_adopt_events_record_that_can_not_be_right)
{
	const int fds[] = {-1, -2, 1 << 30, INT_MIN};

	make("2\n");
	if (_i == 0)
		file->channel->record->is_kept = false;
	else if (_i == 1)
		file->channel->record->fds[0] = (int)must_call(open("/", O_PATH | O_CLOEXEC));
	else
		file->channel->record->fds[0] = fds[_i - 2];
	adopt_restart();
	ck_assert_uint_eq(adopt_n_lost, 1);
	ck_assert_int_eq(adopt_error, -EPROTO);
	ck_assert_ptr_null(adopted_file(file));
	ck_assert_int_eq(space_count(adopted_space(&event_kind)), 0);
	object_unref(object_make(adopted_space(&event_kind), "e"));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_adopt_events_value_and_descriptor_stay,
		test_adopt_events_wakes_reader,
		test_adopt_events_without_a_name_ends_with_its_file,
		test_adopt_events_semaphore_stays_one,
		test_adopt_events_despite_lower_limits,
		test_adopt_events_killed_when_value_was_taken,
		test_adopt_events_killed_before_value_was_taken,
		test_adopt_events_killed_before_write,
		test_adopt_events_killed_after_write,
		test_adopt_events_killed_after_write_that_others_took,
		test_adopt_events_killed_in_a_write_that_has_to_wait,
		test_adopt_events_write_to_another,
		NULL,
	};
	const TTest *const both[] = {
		test_adopt_events_killed_when_reader_was_answered_or_not,
		test_adopt_events_killed_after_write_was_counted,
		NULL,
	};
	const TTest *const wrong[] = {test_adopt_events_record_that_can_not_be_right, NULL};
	Suite *suite = suite_create("adopt_events");

	suite_add(suite, "events", tests);
	suite_add_loop(suite, "both", both, 2);
	suite_add_loop(suite, "wrong", wrong, 6);
	return suite_run(suite);
}
