/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds for every kind of stream: waiting requests go on when they can, in order, and nothing
 * is lost or mixed. Kinds that have nothing to wait for are left out.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/sample.h"

/* Opens a new object for reading and writing. */
static struct file *new_file(int i)
{
	return sample_make_open(fixture_open(kinds[i]), "a", O_RDWR);
}

/* Opens a new object for reading and writing, and fills it. */
static struct file *new_full(int i)
{
	struct file *file = new_file(i);

	ck_assert_uint_gt(sample_fill(file), 0);
	return file;
}

static void hold_put(struct held *held, struct file *file, int i)
{
	const char *text = sample_of(file->channel->space->kind)->put[i];

	held_write(held, file, text, strlen(text));
}

static void expect_put(const struct held *held, int i)
{
	const struct kind *kind = held->transfer.file->channel->space->kind;

	held_expect_result(held, (ssize_t)strlen(sample_of(kind)->put[i]));
}

START_TEST(test_contract_waiting_reader_gets_next_write)
{
	struct file *file = new_file(_i);
	struct held held = {0};

	held_read(&held, file, 100);
	sample_put(file, 0);
	held_wait(&held);
	held_expect(&held, sample_of(kinds[_i])->got[0]);
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_contract_waiting_readers_get_writes_in_order)
{
	struct file *file = new_file(_i);
	struct held first = {0}, second = {0};

	held_read(&first, file, 3);
	held_read(&second, file, 3);
	sample_put(file, 1);
	sample_put(file, 2);
	held_wait(&second);
	held_expect(&first, sample_of(kinds[_i])->got[1]);
	held_expect(&second, sample_of(kinds[_i])->got[2]);
	object_close(file);
}
END_TEST

START_TEST(test_contract_waiting_reader_cancelled_leaves_data)
{
	struct file *file = new_file(_i);
	struct held held = {0};

	held_read(&held, file, 100);
	transfer_cancel(&held.transfer);
	sample_put(file, 0);
	loop_settle();
	ck_assert_uint_eq(held.n, 0);
	sample_expect(file, 0);
	object_close(file);
}
END_TEST

START_TEST(test_contract_waiting_small_reader_leaves_rest)
{
	struct file *file = new_file(_i);
	const char *text = sample_of(kinds[_i])->got[0];
	const char first[] = {text[0], '\0'};
	struct held held = {0};

	held_read(&held, file, 1);
	sample_put(file, 0);
	held_wait(&held);
	held_expect(&held, first);
	file_expect(file, 100, text + 1);
	object_close(file);
}
END_TEST

START_TEST(test_contract_waiting_full_eagain)
{
	struct file *file = new_full(_i);

	must_fail(sample_try_put(file, 0), EAGAIN);
	ck_assert_uint_eq(channel_poll(file), EPOLLIN | EPOLLRDNORM);
	object_close(file);
}
END_TEST

START_TEST(test_contract_waiting_writer_goes_on_after_a_read)
{
	struct file *file = new_full(_i);
	struct held held = {0};

	hold_put(&held, file, 0);
	loop_settle();
	ck_assert_uint_eq(held.n, 0);
	ck_assert_int_gt(file_try_read(file, 65536), 0);
	held_wait(&held);
	expect_put(&held, 0);
	object_close(file);
}
END_TEST

START_TEST(test_contract_waiting_writer_goes_on_after_truncate)
{
	struct file *file = new_full(_i);
	struct held held = {0};

	hold_put(&held, file, 0);
	must(object_truncate(file->channel, 0, &root));
	held_wait(&held);
	expect_put(&held, 0);
	sample_expect(file, 0);
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_contract_waiting_writer_cancelled_writes_nothing)
{
	struct file *file = new_file(_i);
	size_t total = sample_fill(file);
	struct held held = {0};
	ssize_t n;

	hold_put(&held, file, 0);
	transfer_cancel(&held.transfer);
	while ((n = file_try_read(file, 65536)) > 0) {
		total -= (size_t)n;
		loop_settle();
	}
	ck_assert_uint_eq(total, 0);
	ck_assert_uint_eq(held.n, 0);
	object_close(file);
}
END_TEST

START_TEST(test_contract_waiting_writer_is_before_later_ones)
{
	struct file *file = new_full(_i);
	struct held held = {0};

	hold_put(&held, file, 1);
	ck_assert_int_gt(file_try_read(file, 65536), 0);
	must_fail(sample_try_put(file, 2), EAGAIN);
	held_wait(&held);
	expect_put(&held, 1);
	ck_assert_int_gt(file_try_read(file, 65536), 0);
	sample_put(file, 2);
	object_close(file);
}
END_TEST

/* Reads all there is, with what the two writers add, into `text`. */
static void drain(struct file *file, char *text, struct held *first, struct held *second)
{
	const void *data;
	ssize_t n;

	for (;;) {
		n = channel_read(file, 65536, 0, &data);
		if (n > 0)
			text = mempcpy(text, data, (size_t)n);
		else if (!first->n || !second->n)
			held_wait(first->n ? second : first);
		else
			break;
		loop_settle();
	}
	*text = '\0';
}

static bool is_filled(const char *text, char with, size_t n)
{
	while (n && *text++ == with)
		n--;
	return n == 0;
}

START_TEST(test_contract_waiting_writers_follow_each_other_whole)
{
	struct file *file = new_file(_i);
	struct held first = {0}, second = {0};
	size_t n, total;
	char *text;

	n = SAMPLE_PIECE;
	total = sample_fill(file);
	text = calloc(1, total + 2 * n + 1);
	held_write(&first, file, memset(malloc(n), 'a', n), n);
	held_write(&second, file, memset(malloc(n), 'b', n), n);
	drain(file, text, &first, &second);
	held_expect_result(&first, (ssize_t)n);
	held_expect_result(&second, (ssize_t)n);
	ck_assert(is_filled(text, '\0', total));
	ck_assert(is_filled(text + total, 'a', n));
	ck_assert(is_filled(text + total + n, 'b', n));
	free(text);
	free((void *)first.transfer.data);
	free((void *)second.transfer.data);
	object_close(file);
}
END_TEST

START_TEST(test_contract_waiting_watch_is_told_of_write)
{
	struct file *file = new_file(_i);
	struct watch watch = {0};

	watch_start(&watch, file);
	ck_assert_uint_eq(channel_poll(file) & EPOLLIN, 0);
	loop_settle();
	watch.n = 0; /* a queue may report its room to write at first */
	watch_start(&watch, file);
	sample_put(file, 0);
	watch_wait(&watch, 1);
	ck_assert_uint_eq(channel_poll(file) & EPOLLIN, EPOLLIN);
	object_close(file);
}
END_TEST

START_TEST(test_contract_waiting_watch_is_told_of_room)
{
	struct file *file = new_full(_i);
	struct watch watch = {0};

	watch_start(&watch, file);
	ck_assert_uint_eq(channel_poll(file) & EPOLLOUT, 0);
	loop_settle();
	watch.n = 0;
	watch_start(&watch, file);
	ck_assert_int_gt(file_try_read(file, 65536), 0);
	watch_wait(&watch, 1);
	ck_assert_uint_eq(channel_poll(file) & EPOLLOUT, EPOLLOUT);
	object_close(file);
}
END_TEST

START_TEST(test_contract_waiting_written_twice_is_read_twice_joined_or_replaced)
{
	struct file *file = new_file(_i);
	const struct sample *sample = sample_of(kinds[_i]);

	sample_put(file, 1);
	sample_put(file, 2);
	if (sample->traits & SAMPLE_REPLACED) {
		sample_expect(file, 2);
	} else if (sample_is_message(kinds[_i])) {
		file_expect(file, 100, sample->got[1]);
		file_expect(file, 100, sample->got[2]);
	} else {
		file_expect(file, 100, "onetwo");
	}
	must_fail(file_try_read(file, 100), EAGAIN);
	object_close(file);
}
END_TEST

START_TEST(test_contract_waiting_messages_in_part_keep_their_rest)
{
	struct file *file = new_file(_i);
	const struct sample *sample = sample_of(kinds[_i]);

	sample_put(file, 1);
	sample_put(file, 2);
	ck_assert_int_eq(file_try_read(file, 1), 1);
	file_expect(file, 100, sample->got[1] + 1);
	file_expect(file, 100, sample->got[2]);
	object_close(file);
}
END_TEST

START_TEST(test_contract_waiting_messages_too_long_emsgsize_sends_nothing)
{
	struct file *file = new_file(_i);
	size_t known = sample_of(kinds[_i])->message_max;
	size_t size = known ? known : file->channel->message_max;
	char *data = calloc(1, size + 1);

	must_fail(channel_write(file, data, size + 1, 0), EMSGSIZE);
	must_fail(file_try_read(file, 100), EAGAIN);
	ck_assert_int_eq(channel_write(file, data, size, 0), size);
	free(data);
	object_close(file);
}
END_TEST

int main(void)
{
	const unsigned reader = NEED_WRITES | NEED_WAITS, writer = reader | NEED_FULL;
	const struct kind_test tests[] = {
		{test_contract_waiting_reader_gets_next_write, reader},
		{test_contract_waiting_readers_get_writes_in_order, reader | NEED_ORDER},
		{test_contract_waiting_reader_cancelled_leaves_data, reader},
		{test_contract_waiting_small_reader_leaves_rest, reader},
		{test_contract_waiting_full_eagain, writer},
		{test_contract_waiting_writer_goes_on_after_a_read, writer},
		{test_contract_waiting_writer_goes_on_after_truncate, writer | NEED_EMPTIED},
		{test_contract_waiting_writer_cancelled_writes_nothing, writer | NEED_BYTES},
		{test_contract_waiting_writer_is_before_later_ones, writer | NEED_ORDER},
		{test_contract_waiting_writers_follow_each_other_whole,
		 writer | NEED_ORDER | NEED_BYTES},
		{test_contract_waiting_watch_is_told_of_write, reader},
		{test_contract_waiting_watch_is_told_of_room, writer},
		{test_contract_waiting_written_twice_is_read_twice_joined_or_replaced, reader},
		{test_contract_waiting_messages_in_part_keep_their_rest,
		 reader | NEED_ORDER | NEED_MESSAGES},
		{test_contract_waiting_messages_too_long_emsgsize_sends_nothing,
		 reader | NEED_BYTES | NEED_MESSAGES},
		{NULL},
	};
	Suite *suite = suite_create("contract_waiting");

	suite_add_kinds(suite, tests);
	return suite_run(suite);
}
