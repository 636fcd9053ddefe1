/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readiness: which events wake which watchers. A watch is told once, and only after the current
 * handler.
 */
#include <sys/epoll.h>

#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/toy.h"

static void wake(struct toy *toy, uint32_t events)
{
	channel_wake(&toy->channel, events);
	loop_run_tasks(loop);
}

START_TEST(test_channel_poll_is_the_kinds)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);

	toy->ready = EPOLLIN | EPOLLHUP;
	ck_assert_uint_eq(channel_poll(file), EPOLLIN | EPOLLHUP);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_poll_wake_only_queues)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_read(&held, file, 10);
	toy->pieces[0] = "x";
	channel_wake(&toy->channel, EPOLLIN);
	ck_assert_uint_eq(held.n, 0);
	loop_run_tasks(loop);
	held_expect(&held, "x");
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_poll_many_wakes_are_one_try)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct held held = {0};

	held_read(&held, file, 10);
	toy->n_reads = 0;
	channel_wake(&toy->channel, EPOLLIN);
	channel_wake(&toy->channel, EPOLLIN);
	channel_wake(&toy->channel, EPOLLIN);
	loop_run_tasks(loop);
	ck_assert_uint_eq(toy->n_reads, 1);
	transfer_cancel(&held.transfer);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_poll_wake_without_waiters_queues_nothing)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);

	channel_wake(&toy->channel, EPOLLIN | EPOLLOUT | EPOLLHUP);
	ck_assert(!toy->channel.wake.is_queued);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_poll_watch_is_told_once)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct watch watch = {0};

	toy->ready = EPOLLIN;
	watch_start(&watch, file);
	wake(toy, EPOLLIN);
	wake(toy, EPOLLIN);
	ck_assert_uint_eq(watch.n, 1);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_poll_watched_again_is_told_again)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct watch watch = {0};

	toy->ready = EPOLLIN;
	watch_start(&watch, file);
	wake(toy, EPOLLIN);
	watch_start(&watch, file);
	wake(toy, EPOLLIN);
	ck_assert_uint_eq(watch.n, 2);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_poll_watch_start_tells_nothing)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct watch watch = {0};

	toy->ready = EPOLLIN;
	watch_start(&watch, file);
	loop_run_tasks(loop);
	ck_assert_uint_eq(watch.n, 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_poll_watch_that_is_not_ready_waits_on)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct watch watch = {0};

	watch_start(&watch, file);
	wake(toy, EPOLLIN);
	ck_assert_uint_eq(watch.n, 0);
	toy->ready = EPOLLIN;
	wake(toy, EPOLLIN);
	ck_assert_uint_eq(watch.n, 1);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_poll_watch_ready_the_other_way_is_not_told)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct watch watch = {0};

	toy->ready = EPOLLOUT;
	watch_start(&watch, file);
	wake(toy, EPOLLIN);
	ck_assert_uint_eq(watch.n, 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

/* EPOLLHUP and EPOLLERR (by _i) are reported whatever the wake was for. */
START_TEST(test_channel_poll_watch_of_end_or_error_is_told)
{
	const uint32_t events[] = {EPOLLHUP, EPOLLERR};
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct watch watch = {0};

	toy->ready = events[_i];
	watch_start(&watch, file);
	wake(toy, EPOLLIN);
	ck_assert_uint_eq(watch.n, 1);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_poll_watch_taken_back_is_not_told)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct watch watch = {0};

	toy->ready = EPOLLIN;
	watch_start(&watch, file);
	channel_wake(&toy->channel, EPOLLIN);
	channel_watch(file, NULL, NULL);
	loop_run_tasks(loop);
	ck_assert_uint_eq(watch.n, 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_poll_watch_replaced_tells_the_newest)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct watch old = {0}, new = {0};

	toy->ready = EPOLLIN;
	watch_start(&old, file);
	watch_start(&new, file);
	wake(toy, EPOLLIN);
	ck_assert_uint_eq(old.n, 0);
	ck_assert_uint_eq(new.n, 1);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_poll_all_watching_files_are_told)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *a = toy_open(toy);
	struct file *b = toy_open(toy);
	struct watch watch_a = {0}, watch_b = {0};

	toy->ready = EPOLLOUT;
	watch_start(&watch_a, a);
	watch_start(&watch_b, b);
	wake(toy, EPOLLOUT);
	ck_assert_uint_eq(watch_a.n, 1);
	ck_assert_uint_eq(watch_b.n, 1);
	toy_close(toy, (struct file *[]){a, b, NULL});
}
END_TEST

START_TEST(test_channel_poll_released_file_is_not_told)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct watch watch = {0};

	toy->ready = EPOLLIN;
	watch_start(&watch, file);
	channel_wake(&toy->channel, EPOLLIN);
	channel_release(file);
	loop_run_tasks(loop);
	ck_assert_uint_eq(watch.n, 0);
	toy_close(toy, (struct file *[]){NULL});
}
END_TEST

static unsigned n_told;

static void watch_again(struct file *file)
{
	n_told++;
	channel_watch(file, watch_again, NULL);
}

START_TEST(test_channel_poll_watched_again_when_told_waits_for_next_wake)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);

	toy->ready = EPOLLIN;
	channel_watch(file, watch_again, NULL);
	wake(toy, EPOLLIN);
	ck_assert_uint_eq(n_told, 1);
	wake(toy, EPOLLIN);
	ck_assert_uint_eq(n_told, 2);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_poll_file_released_when_told_is_not_touched)
{
	struct toy *toy = toy_new(&toy_stream);

	toy->ready = EPOLLIN;
	channel_watch(toy_open(toy), channel_release, NULL);
	channel_watch(toy_open(toy), channel_release, NULL);
	wake(toy, EPOLLIN);
	ck_assert_uint_eq(toy->n_releases, 2);
	toy_close(toy, (struct file *[]){NULL});
}
END_TEST

/* Here a read wakes a waiting writer; in the next test a write wakes a waiting reader. */
START_TEST(test_channel_poll_read_tells_who_waits_to_write)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct watch watch = {0};

	toy->ready = EPOLLOUT;
	toy->pieces[0] = "x";
	watch_start(&watch, file);
	file_expect(file, 10, "x");
	loop_run_tasks(loop);
	ck_assert_uint_eq(watch.n, 1);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_poll_write_tells_who_waits_to_read)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct watch watch = {0};

	toy->ready = EPOLLIN;
	toy->room = 10;
	watch_start(&watch, file);
	file_put(file, "x");
	loop_run_tasks(loop);
	ck_assert_uint_eq(watch.n, 1);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

START_TEST(test_channel_poll_failed_calls_tell_nobody)
{
	struct toy *toy = toy_new(&toy_stream);
	struct file *file = toy_open(toy);
	struct watch watch = {0};

	toy->ready = EPOLLIN | EPOLLOUT;
	watch_start(&watch, file);
	must_fail(file_try_read(file, 10), EAGAIN);
	must_fail(channel_write(file, "x", 1, 0), EAGAIN);
	loop_run_tasks(loop);
	ck_assert_uint_eq(watch.n, 0);
	toy_close(toy, (struct file *[]){file, NULL});
}
END_TEST

static void add_watch_tests(Suite *suite)
{
	suite_add(suite, "watch",
		  (const TTest *const[]){
			  test_channel_poll_watch_is_told_once,
			  test_channel_poll_watched_again_is_told_again,
			  test_channel_poll_watch_start_tells_nothing,
			  test_channel_poll_watch_that_is_not_ready_waits_on,
			  test_channel_poll_watch_ready_the_other_way_is_not_told,
			  test_channel_poll_watch_taken_back_is_not_told,
			  test_channel_poll_watch_replaced_tells_the_newest,
			  test_channel_poll_all_watching_files_are_told,
			  test_channel_poll_released_file_is_not_told,
			  test_channel_poll_watched_again_when_told_waits_for_next_wake,
			  test_channel_poll_file_released_when_told_is_not_touched,
			  NULL,
		  });
	suite_add_loop(suite, "end",
		       (const TTest *const[]){
			       test_channel_poll_watch_of_end_or_error_is_told,
			       NULL,
		       },
		       2);
}

int main(void)
{
	Suite *suite = suite_create("channel_poll");

	suite_add(suite, "wake",
		  (const TTest *const[]){
			  test_channel_poll_is_the_kinds,
			  test_channel_poll_wake_only_queues,
			  test_channel_poll_many_wakes_are_one_try,
			  test_channel_poll_wake_without_waiters_queues_nothing,
			  test_channel_poll_read_tells_who_waits_to_write,
			  test_channel_poll_write_tells_who_waits_to_read,
			  test_channel_poll_failed_calls_tell_nobody,
			  NULL,
		  });
	add_watch_tests(suite);
	return suite_run(suite);
}
