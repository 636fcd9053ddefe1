/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only System V queues do: types, empty messages, and threads that sleep on behalf of waiters.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/stat.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

#define NAME "0x000004d2"

struct message {
	long type;
	char text[16384];
};

static struct file *new_file(void)
{
	return object_make_open(fixture_open(&sysv_queue_kind), NAME, O_RDWR);
}

static int native(void)
{
	return (int)must_call(msgget(0x4d2, 0));
}

static void send(long type, size_t size)
{
	static struct message message;

	message.type = type;
	memset(message.text, 'x', size);
	must_call(msgsnd(native(), &message, size, 0));
}

static unsigned long count(void)
{
	struct msqid_ds data;

	must_call(msgctl(native(), IPC_STAT, &data));
	return data.msg_qnum;
}

/* Returns 0 if no thread sleeps, else -EAGAIN. */
static int try_to_rest(void *data)
{
	return host.users.taken[USER_SLEEPS] ? -EAGAIN : 0;
}

/* Runs the loop until no thread sleeps any more. */
static void await_rest(void)
{
	while (try_to_rest(NULL) < 0)
		loop_settle();
}

static void await_sleepers(unsigned n)
{
	while (host.users.taken[USER_SLEEPS] != n)
		loop_settle();
}

START_TEST(test_sysv_queue_type_0_einval)
{
	struct file *file = new_file();
	const struct selector zero = {.is_set = true};
	struct file *second = NULL;

	must_fail(channel_open(file->channel, O_RDWR, &zero, &root, &second), EINVAL);
	object_close(file);
}
END_TEST

START_TEST(test_sysv_queue_reader_of_a_type_leaves_others)
{
	struct file *file = new_file();
	struct file *five = object_open_selected(file->channel, O_RDWR, 5);
	struct held held = {0};

	held_read(&held, five, 100);
	file_put(file, "one");
	loop_settle();
	ck_assert_uint_eq(held.n, 0);
	file_put(five, "five");
	held_wait(&held);
	held_expect(&held, "five");
	file_expect(file, 100, "one");
	object_close(five);
	object_close(file);
}
END_TEST

START_TEST(test_sysv_queue_native_message_wakes_reader)
{
	struct file *file = new_file();
	struct held held = {0};

	held_read(&held, file, 100);
	await_sleepers(1);
	send(3, 4);
	held_wait(&held);
	held_expect(&held, "xxxx");
	await_rest();
	object_close(file);
}
END_TEST

START_TEST(test_sysv_queue_readers_of_one_type_take_one_thread)
{
	struct file *file = new_file();
	struct held held[10] = {0};

	for (int i = 0; i < 10; i++)
		held_read(&held[i], file, 100);
	loop_settle();
	ck_assert_uint_eq(host.users.taken[USER_SLEEPS], 1);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_SLEEPS), 1);
	for (int i = 0; i < 10; i++)
		transfer_cancel(&held[i].transfer);
	await_rest();
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_SLEEPS), 0);
	object_close(file);
}
END_TEST

START_TEST(test_sysv_queue_without_threads_reader_enobufs)
{
	struct file *file = new_file();
	struct held held = {0};

	host.users.limits[USER_SLEEPS] = 0;
	held_read(&held, file, 100);
	held_wait(&held);
	held_expect_result(&held, -ENOBUFS);
	object_close(file);
}
END_TEST

START_TEST(test_sysv_queue_native_empty_message_is_read)
{
	struct file *file = new_file();
	struct held held = {0};

	held_read(&held, file, 100);
	await_sleepers(1);
	send(1, 0);
	held_wait(&held);
	held_expect_result(&held, 0);
	object_close(file);
}
END_TEST

/* When the reader gives up, the thread that slept for it has already taken the message. */
START_TEST(test_sysv_queue_empty_message_nobody_waits_for_is_put_back)
{
	struct file *file = new_file();
	struct held held = {0};

	held_read(&held, file, 100);
	await_sleepers(1);
	send(7, 0);
	while (count() > 0) /* the thread takes the message; the loop does not know that yet */
		continue;
	transfer_cancel(&held.transfer);
	await_rest();
	ck_assert_uint_eq(held.n, 0);
	ck_assert_uint_eq(count(), 1);
	ck_assert_int_eq(file_try_read(file, 100), 0);
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_sysv_queue_poll_of_a_type_leaves_empty_messages)
{
	struct file *file = new_file();
	struct file *five = object_open_selected(file->channel, O_RDONLY, 5);

	send(5, 0);
	ck_assert_uint_eq(channel_poll(five) & EPOLLIN, EPOLLIN);
	loop_settle();
	ck_assert_uint_eq(count(), 1);
	ck_assert_uint_eq(channel_poll(five) & EPOLLIN, EPOLLIN);
	ck_assert_int_eq(file_try_read(five, 10), 0);
	loop_settle();
	ck_assert_uint_eq(count(), 0);
	object_close(five);
	object_close(file);
}
END_TEST

static void write_limit(const char *path, int value)
{
	FILE *file = fopen(path, "we");

	ck_assert_ptr_nonnull(file);
	fprintf(file, "%d", value);
	ck_assert_int_eq(fclose(file), 0);
}

START_TEST(test_sysv_queue_message_longer_than_was_known_is_read_whole)
{
	struct file *file = new_file();
	const void *data;

	write_limit("/proc/sys/kernel/msgmax", 16384);
	send(1, 12000);
	ck_assert_int_eq(must(channel_read(file, 100, 0, &data)), 100);
	ck_assert_int_eq(must(channel_read(file, 65536, 0, &data)), 11900);
	object_close(file);
}
END_TEST

START_TEST(test_sysv_queue_writer_that_a_thread_serves_is_stopped_unsent)
{
	struct file *file = new_file();
	struct held held = {0};
	size_t n = file_fill(file, 256) / 256;

	held_write(&held, file, "hello", 5);
	await_sleepers(1);
	ck_assert(transfer_stop(&held.transfer));
	held_wait(&held);
	held_expect_result(&held, -EINTR);
	ck_assert_uint_eq(count(), n);
	await_rest();
	object_close(file);
}
END_TEST

START_TEST(test_sysv_queue_writer_that_no_thread_serves_is_not_stopped)
{
	struct file *file = new_file();
	struct held held = {0};

	file_fill(file, 256);
	held_write(&held, file, "hello", 5);
	ck_assert(!transfer_stop(&held.transfer));
	transfer_cancel(&held.transfer);
	object_close(file);
}
END_TEST

START_TEST(test_sysv_queue_native_receive_tells_who_polls_of_room)
{
	struct file *file = new_file();
	struct watch watch = {0};
	struct message message;

	file_fill(file, 256);
	watch_start(&watch, file);
	loop_settle();
	watch.n = 0;
	watch_start(&watch, file);
	must_call(msgrcv(native(), &message, sizeof(message.text), 0, 0));
	watch_wait(&watch, 1);
	object_close(file);
	await_rest();
}
END_TEST

/*
 * There is room, but less than a waiting writer needs. The watch comes after that writer, and takes
 * no thread.
 */
START_TEST(test_sysv_queue_room_that_a_writer_waits_with_is_not_looked_for)
{
	static const char large[6000];
	struct file *file = new_file();
	struct held held = {0};
	struct watch watch = {0};
	struct message message;

	send(1, sizeof(large));
	send(1, sizeof(large));
	held_write(&held, file, large, sizeof(large));
	await_sleepers(1);
	watch_start(&watch, file);
	for (unsigned i = 0; i < 100; i++) {
		loop_settle();
		ck_assert_uint_eq(host.users.taken[USER_SLEEPS], 1);
	}
	ck_assert_uint_eq(watch.n, 0);
	must_call(msgrcv(native(), &message, sizeof(message.text), 0, 0));
	held_wait(&held);
	watch_wait(&watch, 1);
	object_close(file);
	await_rest();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sysv_queue");

	suite_add(suite, "sysv_queue",
		  (const TTest *const[]){
			  test_sysv_queue_type_0_einval,
			  test_sysv_queue_reader_of_a_type_leaves_others,
			  test_sysv_queue_native_message_wakes_reader,
			  test_sysv_queue_readers_of_one_type_take_one_thread,
			  test_sysv_queue_without_threads_reader_enobufs,
			  test_sysv_queue_native_empty_message_is_read,
			  test_sysv_queue_empty_message_nobody_waits_for_is_put_back,
			  test_sysv_queue_poll_of_a_type_leaves_empty_messages,
			  test_sysv_queue_message_longer_than_was_known_is_read_whole,
			  test_sysv_queue_writer_that_a_thread_serves_is_stopped_unsent,
			  test_sysv_queue_writer_that_no_thread_serves_is_not_stopped,
			  test_sysv_queue_native_receive_tells_who_polls_of_room,
			  test_sysv_queue_room_that_a_writer_waits_with_is_not_looked_for,
			  NULL,
		  });
	return suite_run(suite);
}
