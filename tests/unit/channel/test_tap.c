/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a tap shows of a toy, to whom, what it charges, and when its readers are woken.
 */
#include "lib/channel/tapped.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/toy.h"

/* What a test watches, and through which other open file. */
static struct toy *target, *other;
static struct file *file, *watcher;
static struct tap_reader *tap;
static char text[TAP_CAPACITY * 2];

static void begin(const struct toy_kind *kind)
{
	target = toy_new(kind);
	other = toy_new(&toy_stream);
	file = toy_open(target);
	watcher = toy_open(other);
	must(tap_open(&target->channel, watcher, true, &tap));
	target->room = sizeof(target->written) - 1;
}

static void finish(void)
{
	tap_close(tap);
	ck_assert_ptr_null(target->channel.tap);
	ck_assert_ptr_null(host.taps);
	toy_close(target, (struct file *[]){file, NULL});
	toy_close(other, (struct file *[]){watcher, NULL});
}

/* Waits until all that has passed is shown. */
static void settle(void)
{
	while (host.taps->pending)
		loop_settle();
}

/* Reads all that there is, up to `size` bytes at a time, into `text`. */
static void look(struct tap_reader *reader, size_t size)
{
	size_t end = 0;
	ssize_t n;

	settle();
	while ((n = tap_read(reader, text + end, size)) > 0)
		end += (size_t)n;
	must_fail(n, EAGAIN);
	text[end] = '\0';
}

/* Expects a record at the beginning of *rest, and passes it. */
static void expect(char **rest, const char *pid, char direction, const char *bytes)
{
	long long seconds;
	long nanoseconds;
	char found[16], way;
	size_t size;
	int n = 0;

	ck_assert_int_eq(sscanf(*rest, "%lld.%9ld %15s %c %zu%n", &seconds, &nanoseconds, found,
				&way, &size, &n),
			 5);
	ck_assert_int_le(llabs(time(NULL) - seconds), 10);
	ck_assert_str_eq(found, pid);
	ck_assert_int_eq(way, direction);
	ck_assert_uint_eq(size, strlen(bytes));
	ck_assert_int_eq((*rest)[n], '\n');
	*rest += n + 1;
	ck_assert_mem_eq(*rest, bytes, size);
	ck_assert_int_eq((*rest)[size], '\n');
	*rest += size + 1;
}

/* Expects exactly one record, and no more. */
static void expect_only(struct tap_reader *reader, const char *pid, char direction,
			const char *bytes)
{
	char *rest = text;

	look(reader, 1000);
	expect(&rest, pid, direction, bytes);
	ck_assert_str_eq(rest, "");
}

static const char *own_pid(void)
{
	static char pid[16];

	snprintf(pid, sizeof(pid), "%d", getpid());
	return pid;
}

START_TEST(test_tap_shows_writes_and_reads_and_takes_nothing)
{
	char *rest = text;

	begin(&toy_stream);
	target->pieces[0] = "one";
	file_put(file, "two\n");
	file_expect(file, 100, "one");
	look(tap, 1000);
	expect(&rest, "-", '>', "two\n");
	expect(&rest, "-", '<', "one");
	ck_assert_str_eq(rest, "");
	ck_assert_str_eq(target->written, "two\n");
	finish();
}
END_TEST

START_TEST(test_tap_shows_only_what_passes_from_now_on)
{
	struct tap_reader *later;

	begin(&toy_stream);
	file_put(file, "before");
	must(tap_open(&target->channel, watcher, true, &later));
	file_put(file, "after");
	expect_only(later, "-", '>', "after");
	tap_close(later);
	finish();
}
END_TEST

/* What was not accepted has not passed. */
START_TEST(test_tap_shows_what_was_accepted)
{
	begin(&toy_stream);
	target->room = 2;
	ck_assert_int_eq(channel_write(file, "hello", 5, 0), 2);
	must_fail(channel_write(file, "llo", 3, 0), EAGAIN);
	must_fail(file_try_read(file, 100), EAGAIN);
	expect_only(tap, "-", '>', "he");
	finish();
}
END_TEST

/* A message that is read in part has been taken whole. */
START_TEST(test_tap_shows_a_message_read_in_part_once)
{
	begin(&toy_message);
	target->pieces[0] = "message";
	file_expect(file, 3, "mes");
	file_expect(file, 100, "sage");
	expect_only(tap, "-", '<', "message");
	finish();
}
END_TEST

START_TEST(test_tap_shows_what_was_lent_when_it_is_taken)
{
	struct pieces pieces;

	begin(&toy_lending);
	target->pieces[0] = "one";
	target->pieces[1] = "two";
	ck_assert_int_eq(channel_lend(file, 5, 0, &pieces), 5);
	look(tap, 1000);
	ck_assert_str_eq(text, "");
	channel_take(file, &pieces);
	expect_only(tap, "-", '<', "onetw");
	finish();
}
END_TEST

/* Readers and writers that wait are shown when they are served. */
START_TEST(test_tap_shows_who_it_was)
{
	struct held reader = {.transfer = {.pid = getpid()}};
	struct held writer = {.transfer = {.pid = getpid()}};
	char *rest = text;

	begin(&toy_stream);
	target->room = 0;
	held_read(&reader, file, 100);
	held_write(&writer, file, "w", 1);
	target->pieces[0] = "r";
	target->room = 1;
	channel_wake(&target->channel, EPOLLIN | EPOLLOUT);
	loop_run_tasks(loop);
	look(tap, 1000);
	expect(&rest, own_pid(), '<', "r");
	expect(&rest, own_pid(), '>', "w");
	ck_assert_str_eq(rest, "");
	finish();
}
END_TEST

START_TEST(test_tap_shows_pids_of_the_own_user_only)
{
	struct tap_reader *limited;
	char *rest = text;

	begin(&toy_stream);
	must(tap_open(&target->channel, watcher, false, &limited));
	file->pid = getpid();
	file->pid_uid = STRANGER;
	file_put(file, "theirs");
	file->pid_uid = watcher->uid;
	file_put(file, "mine");
	look(limited, 1000);
	expect(&rest, "-", '>', "theirs");
	expect(&rest, own_pid(), '>', "mine");
	rest = text;
	look(tap, 1000);
	expect(&rest, own_pid(), '>', "theirs");
	tap_close(limited);
	finish();
}
END_TEST

/* However little a read takes, nothing of a record that has begun is lost. */
START_TEST(test_tap_is_read_in_pieces)
{
	char *rest = text;

	begin(&toy_stream);
	file_put(file, "first");
	file_put(file, "second");
	look(tap, (size_t)_i);
	expect(&rest, "-", '>', "first");
	expect(&rest, "-", '>', "second");
	ck_assert_str_eq(rest, "");
	finish();
}
END_TEST

START_TEST(test_tap_begun_record_stays_when_others_are_dropped)
{
	static char block[200];
	char *rest = text;
	char first[10];

	begin(&toy_stream);
	file_put(file, "first");
	settle();
	ck_assert_int_eq(tap_read(tap, first, sizeof(first)), sizeof(first));
	memset(block, 'x', sizeof(block) - 1);
	for (size_t i = 0; i < 2 * TAP_CAPACITY / sizeof(block); i++) {
		target->written[0] = '\0';
		target->room = sizeof(block);
		file_put(file, block);
	}
	look(tap, 100);
	memmove(text + sizeof(first), text, strlen(text) + 1);
	memcpy(text, first, sizeof(first));
	expect(&rest, "-", '>', "first");
	ck_assert_mem_eq(rest, "missed ", 7);
	finish();
}
END_TEST

/* What it got and what it has missed is all there was, in order. */
START_TEST(test_tap_says_what_it_missed)
{
	enum { N = 20000 };
	uint64_t missed;
	size_t got = 0;
	char *rest = text;
	char number[64];
	int length;

	begin(&toy_stream);
	for (int i = 0; i < N; i++) {
		target->written[0] = '\0';
		target->room = sizeof(number);
		snprintf(number, sizeof(number), "%060d", i);
		file_put(file, number);
	}
	look(tap, 4096);
	ck_assert_int_eq(sscanf(rest, "missed %" SCNu64 "%n", &missed, &length), 1);
	rest += length + 1;
	for (; *rest; got++) {
		snprintf(number, sizeof(number), "%060d", (int)(missed + got));
		expect(&rest, "-", '>', number);
	}
	ck_assert_uint_eq(missed + got, N);
	ck_assert_uint_gt(got, TAP_CAPACITY / 2 / 128);
	finish();
}
END_TEST

START_TEST(test_tap_is_charged_to_each_who_watches)
{
	size_t limit = host.users.limits[USER_STORED];
	struct tap_reader *second, *third;

	begin(&toy_stream);
	host.users.limits[USER_STORED] = 2 * TAP_CAPACITY;
	must(tap_open(&target->channel, watcher, true, &second));
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), 2 * TAP_CAPACITY);
	must_fail(tap_open(&target->channel, watcher, true, &third), ENOBUFS);
	file_put(file, "hello");
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), 2 * TAP_CAPACITY);
	tap_close(second);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), TAP_CAPACITY);
	host.users.limits[USER_STORED] = limit;
	finish();
}
END_TEST

START_TEST(test_tap_without_memory_for_a_rest_loses_nothing)
{
	size_t limit = host.users.limits[USER_BYTES];
	char byte;

	begin(&toy_stream);
	file_put(file, "hello");
	settle();
	host.users.limits[USER_BYTES] = 0;
	must_fail(tap_read(tap, &byte, 1), ENOBUFS);
	host.users.limits[USER_BYTES] = limit;
	expect_only(tap, "-", '>', "hello");
	finish();
}
END_TEST

/* The toy that stands for the tap's file is always ready; this only tests the wake. */
START_TEST(test_tap_wakes_who_waits)
{
	struct watch watch = {0};

	begin(&toy_stream);
	other->ready = EPOLLIN;
	for (int i = 0; i < 3; i++) {
		watch.n = 0;
		watch_start(&watch, watcher);
		file_put(file, "hello");
		watch_wait(&watch, 1);
		ck_assert_uint_eq(tap_poll(tap) & EPOLLIN, EPOLLIN);
		look(tap, 1000);
		ck_assert_uint_eq(tap_poll(tap), 0);
	}
	finish();
}
END_TEST

/* A toy has no name: once it is not open, it has ended. */
START_TEST(test_tap_ends_with_the_object)
{
	struct watch watch = {0};
	char *rest = text;
	ssize_t n;

	begin(&toy_stream);
	other->ready = EPOLLIN;
	file_put(file, "last");
	watch_start(&watch, watcher);
	object_close(file);
	ck_assert_ptr_null(target->channel.tap);
	watch_wait(&watch, 1);
	settle();
	n = must(tap_read(tap, text, sizeof(text)));
	text[n] = '\0';
	expect(&rest, "-", '>', "last");
	ck_assert_uint_eq(tap_poll(tap), EPOLLHUP);
	ck_assert_int_eq(tap_read(tap, text, sizeof(text)), 0);
	file = toy_open(target);
	finish();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tap");

	suite_add(suite, "tap",
		  (const TTest *const[]){
			  test_tap_shows_writes_and_reads_and_takes_nothing,
			  test_tap_shows_only_what_passes_from_now_on,
			  test_tap_shows_what_was_accepted,
			  test_tap_shows_a_message_read_in_part_once,
			  test_tap_shows_what_was_lent_when_it_is_taken,
			  test_tap_shows_who_it_was,
			  test_tap_shows_pids_of_the_own_user_only,
			  test_tap_begun_record_stays_when_others_are_dropped,
			  test_tap_says_what_it_missed,
			  test_tap_is_charged_to_each_who_watches,
			  test_tap_without_memory_for_a_rest_loses_nothing,
			  test_tap_wakes_who_waits,
			  test_tap_ends_with_the_object,
			  NULL,
		  });
	tcase_add_loop_test(suite_add(suite, "pieces", (const TTest *const[]){NULL}),
			    test_tap_is_read_in_pieces, 1, 64);
	return suite_run(suite);
}
