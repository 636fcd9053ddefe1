/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Queues are the kernel's own: what ipcfs or a native program makes, sends or receives shows on the
 * other side, with priorities, limits and waiting.
 */
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/native.h"
#include "tests/unit/objects.h"

static struct file *open_queue(const char *name, int flags)
{
	struct channel *queue = object_find(fixture_open(&queue_kind), name);
	struct file *file = object_open(queue, flags);

	object_unref(queue);
	return file;
}

static void close_both(struct file *file, mqd_t native)
{
	object_close(file);
	native_queue_close(native);
}

START_TEST(test_queue_made_here_is_there_natively)
{
	struct file *file = object_make_open(fixture_open(&queue_kind), "q", O_RDWR);
	mqd_t native = native_queue_open("/q");

	file_put(file, "from here");
	native_expect(native, "from here", 0);
	close_both(file, native);
}
END_TEST

START_TEST(test_queue_made_natively_is_here)
{
	mqd_t native = native_queue_make("/q", 2, 64);
	struct file *file = open_queue("q", O_RDWR);

	native_send(native, "from there", 3);
	file_expect(file, 100, "from there");
	close_both(file, native);
}
END_TEST

START_TEST(test_queue_removed_natively_is_gone)
{
	struct space *space = fixture_open(&queue_kind);

	object_unref(object_make(space, "q"));
	must_call(mq_unlink("/q"));
	must_fail(object_lookup(space, "q", NULL), ENOENT);
	ck_assert_int_eq(space_count(space), 0);
}
END_TEST

START_TEST(test_queue_removed_here_is_gone_natively)
{
	struct space *space = fixture_open(&queue_kind);

	native_queue_close(native_queue_make("/q", 2, 64));
	must(space_remove(space, "q", &root));
	ck_assert_int_eq(mq_unlink("/q"), -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(test_queue_is_received_by_priority)
{
	struct channel *queue = object_make(fixture_open(&queue_kind), "q");
	struct file *file = object_open(queue, O_RDWR);
	struct file *urgent = object_open_selected(queue, O_WRONLY, 9);

	file_put(file, "first");
	file_put(file, "second");
	file_put(urgent, "urgent");
	file_expect(file, 100, "urgent");
	file_expect(file, 100, "first");
	file_expect(file, 100, "second");
	object_close(urgent);
	object_close(file);
	object_unref(queue);
}
END_TEST

/* Tries the lowest priority and the highest, by _i. */
START_TEST(test_queue_selector_is_the_priority)
{
	const unsigned long priorities[] = {0, 32767};
	struct channel *queue = object_make(fixture_open(&queue_kind), "q");
	struct file *file = object_open_selected(queue, O_WRONLY, priorities[_i]);
	mqd_t native = native_queue_open("/q");

	file_put(file, "hello");
	native_expect(native, "hello", (unsigned)priorities[_i]);
	close_both(file, native);
	object_unref(queue);
}
END_TEST

START_TEST(test_queue_selector_to_read_einval)
{
	const struct selector selector = {.is_set = true, .value = 3};
	struct channel *queue = object_make(fixture_open(&queue_kind), "q");
	struct file *file = NULL;

	must_fail(channel_open(queue, O_RDONLY, &selector, &root, &file), EINVAL);
	ck_assert_uint_eq(queue->n_files, 0);
	object_unref(queue);
}
END_TEST

START_TEST(test_queue_message_too_long_emsgsize)
{
	mqd_t native = native_queue_make("/q", 2, 8);
	struct file *file = open_queue("q", O_RDWR);

	must_fail(channel_write(file, "123456789", 9, 0), EMSGSIZE);
	ck_assert_int_eq(native_attributes(native).mq_curmsgs, 0);
	file_put(file, "12345678");
	native_expect(native, "12345678", 0);
	close_both(file, native);
}
END_TEST

START_TEST(test_queue_empty_message_is_one)
{
	mqd_t native = native_queue_make("/q", 2, 8);
	struct file *file = open_queue("q", O_RDWR);

	ck_assert_int_eq(channel_write(file, "", 0, 0), 0);
	ck_assert_int_eq(native_attributes(native).mq_curmsgs, 1);
	ck_assert_int_eq(file_try_read(file, 100), 0);
	ck_assert_int_eq(native_attributes(native).mq_curmsgs, 0);
	close_both(file, native);
}
END_TEST

START_TEST(test_queue_full_writer_goes_on_after_native_receive)
{
	mqd_t native = native_queue_make("/q", 1, 8);
	struct file *file = open_queue("q", O_WRONLY);
	struct held held = {0};

	file_put(file, "first");
	held_write(&held, file, "second", 6);
	loop_settle();
	ck_assert_uint_eq(held.n, 0);
	native_expect(native, "first", 0);
	held_wait(&held);
	held_expect_result(&held, 6);
	native_expect(native, "second", 0);
	close_both(file, native);
}
END_TEST

START_TEST(test_queue_reader_goes_on_after_native_send)
{
	mqd_t native = native_queue_make("/q", 1, 8);
	struct file *file = open_queue("q", O_RDONLY);
	struct held held = {0};

	held_read(&held, file, 100);
	loop_settle();
	ck_assert_uint_eq(held.n, 0);
	native_send(native, "hello", 1);
	held_wait(&held);
	held_expect(&held, "hello");
	close_both(file, native);
}
END_TEST

START_TEST(test_queue_one_native_send_wakes_one_reader)
{
	mqd_t native = native_queue_make("/q", 4, 8);
	struct file *file = open_queue("q", O_RDONLY);
	struct held first = {0}, second = {0};

	held_read(&first, file, 100);
	held_read(&second, file, 100);
	native_send(native, "one", 0);
	held_wait(&first);
	ck_assert_uint_eq(second.n, 0);
	native_send(native, "two", 0);
	held_wait(&second);
	held_expect(&first, "one");
	held_expect(&second, "two");
	close_both(file, native);
}
END_TEST

START_TEST(test_queue_many_native_sends_wake_all_readers)
{
	mqd_t native = native_queue_make("/q", 4, 8);
	struct file *file = open_queue("q", O_RDONLY);
	struct held held[4] = {0};

	for (int i = 0; i < 4; i++)
		held_read(&held[i], file, 100);
	for (int i = 0; i < 4; i++)
		native_send(native, "hello", 0);
	for (int i = 0; i < 4; i++) {
		held_wait(&held[i]);
		held_expect(&held[i], "hello");
	}
	close_both(file, native);
}
END_TEST

/* A wait that begins after the wakes of an earlier wait is woken as well. */
START_TEST(test_queue_reader_is_woken_each_time)
{
	mqd_t native = native_queue_make("/q", 4, 8);
	struct file *file = open_queue("q", O_RDWR);

	for (int i = 0; i < 50; i++) {
		struct held held = {0};

		held_read(&held, file, 100);
		native_send(native, "hello", 0);
		held_wait(&held);
		held_expect(&held, "hello");
	}
	close_both(file, native);
}
END_TEST

START_TEST(test_queue_watch_is_told_of_native_send)
{
	mqd_t native = native_queue_make("/q", 4, 8);
	struct file *file = open_queue("q", O_RDONLY);
	struct watch watch = {0};

	watch_start(&watch, file);
	ck_assert_uint_eq(channel_poll(file), 0);
	native_send(native, "hello", 0);
	watch_wait(&watch, 1);
	ck_assert_uint_eq(channel_poll(file), EPOLLIN | EPOLLRDNORM);
	close_both(file, native);
}
END_TEST

START_TEST(test_queue_watch_is_told_of_native_receive)
{
	mqd_t native = native_queue_make("/q", 1, 8);
	struct file *file = open_queue("q", O_WRONLY);
	struct watch watch = {0};

	file_put(file, "hello");
	watch_start(&watch, file);
	ck_assert_uint_eq(channel_poll(file), 0);
	native_expect(native, "hello", 0);
	watch_wait(&watch, 1);
	ck_assert_uint_eq(channel_poll(file), EPOLLOUT | EPOLLWRNORM);
	close_both(file, native);
}
END_TEST

/*
 * While nobody waits, the daemon does not watch the queue. It must do so again for the next reader.
 */
START_TEST(test_queue_reader_after_idle_time_is_woken)
{
	mqd_t native = native_queue_make("/q", 4, 8);
	struct file *file = open_queue("q", O_RDONLY);
	struct held cancelled = {0}, held = {0};

	held_read(&cancelled, file, 100);
	transfer_cancel(&cancelled.transfer);
	native_send(native, "one", 0);
	loop_settle();
	ck_assert_uint_eq(cancelled.n, 0);
	file_expect(file, 100, "one");
	held_read(&held, file, 100);
	native_send(native, "two", 0);
	held_wait(&held);
	held_expect(&held, "two");
	close_both(file, native);
}
END_TEST

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void stop_dispatch(struct loop_source *source, uint32_t events)
{
	loop_stop(loop);
}

/* The queue has room to write all the time. That must not wake the reader that waits. */
START_TEST(test_queue_waiting_reader_does_not_keep_the_loop_busy)
{
	const struct itimerspec period = {.it_value.tv_nsec = 200000000};
	struct file *file = object_make_open(fixture_open(&queue_kind), "q", O_RDWR);
	struct loop_source timer = {.dispatch = stop_dispatch};
	struct held held = {0};
	double before;

	timer.fd = (int)must_call(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	held_read(&held, file, 100);
	must_call(timerfd_settime(timer.fd, 0, &period, NULL));
	must(loop_add(loop, &timer, EPOLLIN));
	before = cpu_seconds();
	must(loop_run(loop));
	ck_assert(cpu_seconds() - before < 0.05);
	loop_remove(loop, &timer);
	close(timer.fd);
	transfer_cancel(&held.transfer);
	object_close(file);
}
END_TEST

START_TEST(test_queue_of_long_messages_is_read)
{
	mqd_t native = native_queue_make("/q", 1, 8192);
	struct file *file = open_queue("q", O_RDWR);
	char text[8193];

	memset(text, 'x', 8192);
	text[8192] = '\0';
	/* Too small for the message, so it must grow. */
	state_release(host.state, host.scratch, host.scratch_size);
	host.scratch = NULL;
	must(host_reserve(&host, 16));
	file_put(file, text);
	file_expect(file, 10000, text);
	close_both(file, native);
}
END_TEST

START_TEST(test_queue_shows_one_size_with_a_message_too)
{
	struct file *file = object_make_open(fixture_open(&queue_kind), "q", O_RDWR);

	file_put(file, "hello");
	ck_assert_int_eq(object_stat(file->channel).st_size, HOST_PAGE);
	object_close(file);
}
END_TEST

static void add_waiting_tests(Suite *suite)
{
	suite_add(suite, "waiting",
		  (const TTest *const[]){
			  test_queue_full_writer_goes_on_after_native_receive,
			  test_queue_reader_goes_on_after_native_send,
			  test_queue_one_native_send_wakes_one_reader,
			  test_queue_many_native_sends_wake_all_readers,
			  test_queue_reader_is_woken_each_time,
			  test_queue_watch_is_told_of_native_send,
			  test_queue_watch_is_told_of_native_receive,
			  test_queue_reader_after_idle_time_is_woken,
			  test_queue_waiting_reader_does_not_keep_the_loop_busy,
			  NULL,
		  });
}

int main(void)
{
	Suite *suite = suite_create("queue");

	suite_add(suite, "native",
		  (const TTest *const[]){
			  test_queue_made_here_is_there_natively,
			  test_queue_made_natively_is_here,
			  test_queue_removed_natively_is_gone,
			  test_queue_removed_here_is_gone_natively,
			  test_queue_shows_one_size_with_a_message_too,
			  NULL,
		  });
	suite_add(suite, "messages",
		  (const TTest *const[]){
			  test_queue_is_received_by_priority,
			  test_queue_selector_to_read_einval,
			  test_queue_message_too_long_emsgsize,
			  test_queue_empty_message_is_one,
			  test_queue_of_long_messages_is_read,
			  NULL,
		  });
	suite_add_loop(suite, "priority",
		       (const TTest *const[]){test_queue_selector_is_the_priority, NULL}, 2);
	add_waiting_tests(suite);
	return suite_run(suite);
}
