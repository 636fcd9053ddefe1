/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only topics do: every reader gets every message, later readers begin with what is kept, and
 * a full topic drops messages or makes writers wait.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/topic/topic.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

enum { CAPACITY = 4096, MESSAGE = CAPACITY / 4 - 8 };

static struct channel *topic;
static const char zeroes[CAPACITY];

static void make(unsigned index, uint64_t value)
{
	topic = object_make_set(fixture_open(&topic_kind), "t", index, value);
}

static int set(unsigned index, uint64_t value, struct caller *caller)
{
	struct settings settings = {.given = 1U << index};

	settings.values[index] = value;
	return channel_set(topic, &settings, caller);
}

/* Makes a topic that four messages of MESSAGE bytes fill. */
static void make_small(enum topic_full full)
{
	make(TOPIC_CAPACITY, CAPACITY);
	must(set(TOPIC_FULL, full, &root));
}

static struct file *reader(void)
{
	return object_open(topic, O_RDONLY);
}

static struct file *writer(void)
{
	return object_open(topic, O_WRONLY);
}

static ssize_t put_zeroes(struct file *file, size_t size)
{
	return channel_write(file, zeroes, size, 0);
}

static void end(struct file *first, struct file *second, struct file *third)
{
	object_close(first);
	object_close(second);
	object_close(third);
	object_unref(topic);
}

START_TEST(test_topic_two_readers_get_all)
{
	struct file *out, *first, *second;

	make(TOPIC_KEEP, 0);
	out = writer();
	first = reader();
	file_put(out, "one");
	second = reader();
	file_put(out, "two");
	file_expect(first, 100, "one");
	file_expect(second, 100, "two");
	must_fail(file_try_read(second, 100), EAGAIN);
	file_expect(first, 100, "two");
	must_fail(file_try_read(first, 100), EAGAIN);
	end(out, first, second);
}
END_TEST

START_TEST(test_topic_two_waiting_readers_get_the_same_write)
{
	struct file *out, *first, *second;
	struct held held[2] = {0};

	make(TOPIC_KEEP, 0);
	out = writer();
	first = reader();
	second = reader();
	held_read(&held[0], first, 100);
	held_read(&held[1], second, 2);
	file_put(out, "one");
	held_wait(&held[0]);
	held_wait(&held[1]);
	held_expect(&held[0], "one");
	held_expect(&held[1], "on");
	file_expect(second, 100, "e");
	must_fail(file_try_read(first, 100), EAGAIN);
	end(out, first, second);
}
END_TEST

START_TEST(test_topic_two_reads_of_one_file_share_its_messages)
{
	struct file *out, *first;
	struct held held[2] = {0};

	make(TOPIC_KEEP, 0);
	out = writer();
	first = reader();
	held_read(&held[0], first, 100);
	held_read(&held[1], first, 100);
	file_put(out, "one");
	loop_settle();
	ck_assert_uint_eq(held[1].n, 0);
	file_put(out, "two");
	held_wait(&held[1]);
	held_expect(&held[0], "one");
	held_expect(&held[1], "two");
	end(out, first, NULL);
}
END_TEST

/* A reader that has gone is given nothing, and what it was to get is still there. */
START_TEST(test_topic_message_that_cannot_be_given_stays)
{
	struct file *out, *first;
	struct held held = {.is_deaf = true};

	make(TOPIC_KEEP, 0);
	out = writer();
	first = reader();
	held_read(&held, first, 100);
	file_put(out, "one");
	loop_settle();
	ck_assert_uint_eq(held.n, 1);
	file_expect(first, 100, "one");
	end(out, first, NULL);
}
END_TEST

START_TEST(test_topic_without_readers_takes_writes_and_keeps_nothing)
{
	struct file *out, *first;

	make(TOPIC_CAPACITY, CAPACITY);
	must(set(TOPIC_FULL, FULL_WAIT, &root));
	out = writer();
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(put_zeroes(out, MESSAGE), MESSAGE);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), 0);
	first = reader();
	must_fail(file_try_read(first, 100), EAGAIN);
	end(out, first, NULL);
}
END_TEST

START_TEST(test_topic_opened_for_both_reads_its_own)
{
	struct file *both, *other;

	make(TOPIC_KEEP, 0);
	both = object_open(topic, O_RDWR);
	other = object_open(topic, O_RDWR);
	file_put(both, "mine");
	file_put(other, "yours");
	file_expect(both, 100, "mine");
	file_expect(both, 100, "yours");
	file_expect(other, 100, "mine");
	file_expect(other, 100, "yours");
	end(both, other, NULL);
}
END_TEST

START_TEST(test_topic_late_reader_begins_with_what_is_kept)
{
	struct file *out, *first, *second;

	make(TOPIC_KEEP, 2);
	out = writer();
	file_put(out, "one");
	file_put(out, "two");
	file_put(out, "three");
	first = reader();
	file_expect(first, 100, "two");
	second = reader();
	file_expect(second, 100, "two");
	file_expect(first, 100, "three");
	file_expect(second, 100, "three");
	must_fail(file_try_read(second, 100), EAGAIN);
	end(out, first, second);
}
END_TEST

START_TEST(test_topic_selector_is_how_many_kept_ones_come_first)
{
	static const char *const names[] = {"0", "1", "2", "3"};
	struct file *out, *first;

	make(TOPIC_KEEP, 3);
	out = writer();
	for (int i = 0; i < 4; i++)
		file_put(out, names[i]);
	for (unsigned n = 0; n <= 5; n++) {
		first = object_open_selected(topic, O_RDONLY, n);
		for (unsigned i = n < 3 ? 4 - n : 1; i < 4; i++)
			file_expect(first, 100, names[i]);
		must_fail(file_try_read(first, 100), EAGAIN);
		object_close(first);
	}
	first = object_open_selected(topic, O_RDWR, INT32_MAX);
	file_expect(first, 100, "1");
	end(out, first, NULL);
}
END_TEST

START_TEST(test_topic_read_in_part_keeps_its_rest_when_messages_are_dropped)
{
	struct file *out, *first;

	make_small(FULL_DROP_OLDEST);
	out = writer();
	first = reader();
	file_put(out, "abcdef");
	file_put(out, "dropped");
	file_expect(first, 2, "ab");
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(put_zeroes(out, MESSAGE), MESSAGE);
	must(object_truncate(topic, 0, &root));
	file_put(out, "last");
	file_expect(first, 3, "cde");
	ck_assert_uint_eq(channel_poll(first) & EPOLLIN, EPOLLIN);
	file_expect(first, 100, "f");
	file_expect(first, 100, "last");
	end(out, first, NULL);
}
END_TEST

START_TEST(test_topic_full_drops_the_oldest)
{
	struct file *out, *first;

	make_small(FULL_DROP_OLDEST);
	out = writer();
	first = reader();
	file_put(out, "one");
	file_put(out, "two");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(put_zeroes(out, MESSAGE), MESSAGE);
	ck_assert_uint_eq(channel_poll(out) & EPOLLOUT, EPOLLOUT);
	file_expect(first, 100, "one");
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(put_zeroes(out, MESSAGE), MESSAGE);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(file_try_read(first, 2 * MESSAGE), MESSAGE);
	must_fail(file_try_read(first, 100), EAGAIN);
	end(out, first, NULL);
}
END_TEST

START_TEST(test_topic_full_drops_the_newest)
{
	struct file *out, *first;

	make_small(FULL_DROP_NEWEST);
	out = writer();
	first = reader();
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(put_zeroes(out, MESSAGE), MESSAGE);
	ck_assert_uint_eq(channel_poll(out) & EPOLLOUT, EPOLLOUT);
	file_put(out, "dropped");
	ck_assert_int_eq(file_try_read(first, 2 * MESSAGE), MESSAGE);
	file_put(out, "last");
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(file_try_read(first, 2 * MESSAGE), MESSAGE);
	file_expect(first, 100, "last");
	must_fail(file_try_read(first, 100), EAGAIN);
	end(out, first, NULL);
}
END_TEST

START_TEST(test_topic_full_waits_for_the_slowest_to_read_or_leave)
{
	struct file *out, *fast, *slow;
	struct held held[2] = {0};

	make_small(FULL_WAIT);
	out = writer();
	fast = reader();
	slow = reader();
	ck_assert_uint_eq(file_fill(out, MESSAGE), 4 * MESSAGE);
	ck_assert_uint_eq(channel_poll(out) & EPOLLOUT, 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(file_try_read(fast, 2 * MESSAGE), MESSAGE);
	held_write(&held[0], out, zeroes, MESSAGE);
	held_write(&held[1], out, "last", 4);
	loop_settle();
	ck_assert_uint_eq(held[0].n, 0);
	ck_assert_int_eq(file_try_read(slow, 2 * MESSAGE), MESSAGE);
	held_wait(&held[0]);
	loop_settle();
	ck_assert_uint_eq(held[1].n, 0);
	object_close(slow);
	held_wait(&held[1]);
	ck_assert_int_eq(file_try_read(fast, 2 * MESSAGE), MESSAGE);
	file_expect(fast, 100, "last");
	end(out, fast, NULL);
}
END_TEST

START_TEST(test_topic_full_waits_no_more_when_told_to_drop)
{
	struct file *out, *slow;
	struct held held = {0};

	make_small(FULL_WAIT);
	out = writer();
	slow = reader();
	file_fill(out, MESSAGE);
	held_write(&held, out, "last", 4);
	must(set(TOPIC_FULL, FULL_DROP_OLDEST, &root));
	held_wait(&held);
	held_expect_result(&held, 4);
	end(out, slow, NULL);
}
END_TEST

START_TEST(test_topic_message_longer_than_the_capacity_emsgsize)
{
	struct file *out, *first;

	make_small((enum topic_full)_i);
	out = writer();
	must_fail(put_zeroes(out, CAPACITY - 7), EMSGSIZE);
	first = reader();
	must_fail(put_zeroes(out, CAPACITY - 7), EMSGSIZE);
	must_fail(file_try_read(first, CAPACITY), EAGAIN);
	ck_assert_int_eq(put_zeroes(out, CAPACITY - 8), CAPACITY - 8);
	ck_assert_int_eq(file_try_read(first, CAPACITY), CAPACITY - 8);
	end(out, first, NULL);
}
END_TEST

START_TEST(test_topic_out_of_memory_enobufs_sends_nothing)
{
	static const char large[16384];
	struct file *out, *first;

	make(TOPIC_FULL, (uint64_t)_i);
	host.users.limits[USER_STORED] = 0;
	out = writer();
	ck_assert_int_eq(channel_write(out, large, sizeof(large), 0), sizeof(large));
	first = reader();
	must_fail(channel_write(out, large, sizeof(large), 0), ENOBUFS);
	must_fail(file_try_read(first, CAPACITY), EAGAIN);
	file_put(out, "small");
	file_expect(first, 100, "small");
	end(out, first, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("topic");

	suite_add(suite, "topic",
		  (const TTest *const[]){
			  test_topic_two_readers_get_all,
			  test_topic_two_waiting_readers_get_the_same_write,
			  test_topic_two_reads_of_one_file_share_its_messages,
			  test_topic_message_that_cannot_be_given_stays,
			  test_topic_without_readers_takes_writes_and_keeps_nothing,
			  test_topic_opened_for_both_reads_its_own,
			  test_topic_late_reader_begins_with_what_is_kept,
			  test_topic_selector_is_how_many_kept_ones_come_first,
			  test_topic_read_in_part_keeps_its_rest_when_messages_are_dropped,
			  test_topic_full_drops_the_oldest,
			  test_topic_full_drops_the_newest,
			  test_topic_full_waits_for_the_slowest_to_read_or_leave,
			  test_topic_full_waits_no_more_when_told_to_drop,
			  NULL,
		  });
	suite_add_loop(suite, "policies",
		       (const TTest *const[]){
			       test_topic_message_longer_than_the_capacity_emsgsize,
			       test_topic_out_of_memory_enobufs_sends_nothing,
			       NULL,
		       },
		       3);
	return suite_run(suite);
}
