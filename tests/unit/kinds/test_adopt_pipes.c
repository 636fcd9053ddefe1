/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Served pipes of a daemon that was killed: the next one has each byte once, and each reader's end.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "lib/kinds/kinds.h"
#include "lib/kinds/pipe/pipe.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"

enum { KIB = 1024, LARGE = 256 * KIB, REQUEST = 77, HEAD = 80 };

static struct file *file;

/* The memory outlives the daemon, so what is kept in buffers does, too. */
static void setup_outlives(void)
{
	host_fini(&host);
	state_free(host_state);
	must(state_new(true, &host_state));
	must(host_init(&host, loop, host_state));
	records_init(&host);
	host.pipes.by_daemon = true;
	host.namespaces.foreign = 1U << NAMESPACE_PID;
}

static void make(const char *text)
{
	file = object_make_open(adopt_open(&pipe_kind), "p", O_RDWR);
	if (text)
		file_put(file, text);
	host.journal->request = REQUEST;
}

static struct pipe *pipe_of(void)
{
	return pipe_from(file->channel);
}

static struct store_record *record(void)
{
	return pipe_of()->store.record;
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

/* Byte number `i` of all that pass through a pipe. */
static char byte_at(size_t i)
{
	return (char)(i % 251);
}

static void put_bytes(size_t from, size_t size)
{
	char *data = malloc(size);

	for (size_t i = 0; i < size; i++)
		data[i] = byte_at(from + i);
	ck_assert_int_eq(channel_write(file, data, size, 0), (ssize_t)size);
	free(data);
}

/* The same, as a write that comes in a buffer. */
static void come(size_t from, size_t size)
{
	char *data = buffers_next(&host.buffers) + HEAD;

	for (size_t i = 0; i < size; i++)
		data[i] = byte_at(from + i);
	file->buffer = host.buffers.current;
	ck_assert_int_eq(channel_write(file, data, size, 0), (ssize_t)size);
	file->buffer = NULL;
}

static void take_bytes(size_t from, size_t size)
{
	const void *data;

	ck_assert_int_eq(channel_read(file, size, 0, &data), (ssize_t)size);
	for (size_t i = 0; i < size; i++)
		ck_assert_int_eq(((const char *)data)[i], byte_at(from + i));
	channel_given(file, true);
}

START_TEST(test_adopt_pipes_bytes_and_settings_stay)
{
	struct settings settings = {.given = 1U << PIPE_CAPACITY | 1U << PIPE_EOF};
	size_t charged;

	make("hello ");
	settings.values[PIPE_CAPACITY] = 65536;
	settings.values[PIPE_EOF] = EOF_NEVER;
	must(channel_set(file->channel, &settings, &root));
	file_expect(file, 2, "he");
	charged = user_charged(&host.users, 0, USER_STORED);
	restart();
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), charged);
	ck_assert_ptr_nonnull(strstr(object_status(file->channel, &root), "capacity 65536\n"));
	ck_assert_ptr_nonnull(strstr(object_status(file->channel, &root), "eof never\n"));
	must(object_lookup(adopted_space(&pipe_kind), "p", NULL));
	file_put(file, "world");
	restart();
	file_expect(file, 100, "llo world");
	expect_empty();
}
END_TEST

START_TEST(test_adopt_pipes_full_one)
{
	size_t n = 0;

	make(NULL);
	for (; n < 1024 * KIB; n += 1 * KIB)
		put_bytes(n, 1 * KIB);
	restart();
	must_fail(channel_write(file, "x", 1, 0), EAGAIN);
	for (size_t done = 0; done < n; done += 100 * KIB)
		take_bytes(done, done + 100 * KIB < n ? 100 * KIB : n - done);
	expect_empty();
}
END_TEST

START_TEST(test_adopt_pipes_after_each_call)
{
	size_t n_put = 0, n_taken = 0;

	make(NULL);
	for (int i = 0; i < 200; i++) {
		put_bytes(n_put, 1 + n_put % 3001);
		n_put += 1 + n_put % 3001;
		restart();
		if (i % 3 == 0)
			continue;
		take_bytes(n_taken, 1 + n_taken % 2503);
		n_taken += 1 + n_taken % 2503;
		restart();
		ck_assert_uint_eq(store_bytes(&pipe_of()->store), n_put - n_taken);
	}
	take_bytes(n_taken, n_put - n_taken);
	expect_empty();
}
END_TEST

/* Large writes stay where they came, two of them in one buffer. */
START_TEST(test_adopt_pipes_kept_bytes)
{
	size_t charged;

	make(NULL);
	come(0, LARGE);
	put_bytes(LARGE, 1000);
	come(LARGE + 1000, LARGE);
	charged = user_charged(&host.users, 0, USER_STORED);
	take_bytes(0, 10);
	restart();
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), charged);
	come(2 * LARGE + 1000, LARGE); /* into another buffer */
	take_bytes(10, LARGE);
	restart();
	take_bytes(LARGE + 10, 2 * LARGE + 990);
	ck_assert_uint_le(user_charged(&host.users, 0, USER_STORED), 16 * KIB);
	expect_empty();
}
END_TEST

/* Killed before the bytes count: the piece that they need is there already. */
START_TEST(test_adopt_pipes_write_that_did_not_end)
{
	uint64_t put;

	make("hello");
	put = record()->put;
	put_bytes(0, 20 * KIB);
	record()->put = put;
	restart();
	file_expect(file, 100, "hello");
	put_bytes(0, 20 * KIB);
	take_bytes(0, 20 * KIB);
	expect_empty();
}
END_TEST

START_TEST(test_adopt_pipes_first_write_that_did_not_end)
{
	make("hello");
	record()->put = 0;
	restart();
	must_fail(file_try_read(file, 100), EAGAIN);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), 0);
	file_put(file, "again");
	file_expect(file, 100, "again");
	expect_empty();
}
END_TEST

/* Killed when the bytes were taken: their pieces are still linked. */
START_TEST(test_adopt_pipes_read_whose_pieces_are_there)
{
	make(NULL);
	for (size_t n = 0; n < 100 * KIB; n += 5 * KIB)
		put_bytes(n, 5 * KIB);
	record()->taken = 60 * KIB + 7;
	restart();
	take_bytes(60 * KIB + 7, 40 * KIB - 7);
	expect_empty();
}
END_TEST

START_TEST(test_adopt_pipes_all_taken)
{
	make("hello");
	record()->taken = record()->put;
	restart();
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_STORED), 0);
	file_put(file, "again");
	file_expect(file, 100, "again");
	expect_empty();
}
END_TEST

/* The reader was answered if its request does not come again (_i: it does). */
START_TEST(test_adopt_pipes_lent_bytes)
{
	struct pieces pieces;

	make("hello");
	ck_assert_int_eq(channel_lend(file, 3, 0, &pieces), 3);
	if (_i)
		adopt_again(REQUEST);
	restart();
	file_expect(file, 100, _i ? "hello" : "lo");
	expect_empty();
}
END_TEST

/* Read into the scratch buffer, and not given to the reader yet: it asks again. */
START_TEST(test_adopt_pipes_received_bytes)
{
	const void *data;

	make("hello");
	ck_assert_int_eq(channel_read(file, 3, 0, &data), 3);
	adopt_again(REQUEST);
	restart();
	file_expect(file, 3, "hel");
	file_expect(file, 100, "lo");
	expect_empty();
}
END_TEST

/* A write that was killed on its way: what the store has of it is not written again. */
START_TEST(test_adopt_pipes_accepted_bytes)
{
	make(NULL);
	journal_write(file, 0);
	file_put(file, "hello");
	adopt_again(REQUEST);
	restart();
	ck_assert_uint_eq(journal_done(&host, REQUEST), 5);
	file_expect(file, 100, "hello");
	expect_empty();
}
END_TEST

/* A reader that came before the first writer waits for one, and then is at its end. */
START_TEST(test_adopt_pipes_end_of_readers)
{
	struct channel *channel = object_make(adopt_open(&pipe_kind), "p");
	struct file *reader = object_open(channel, O_RDONLY), *writer;

	adopt_restart();
	reader = adopted_file(reader);
	must_fail(file_try_read(reader, 100), EAGAIN);
	writer = object_open(reader->channel, O_WRONLY);
	adopt_restart();
	reader = adopted_file(reader);
	must_fail(file_try_read(reader, 100), EAGAIN);
	object_close(adopted_file(writer));
	ck_assert_int_eq(file_try_read(reader, 100), 0);
	adopt_restart();
	reader = adopted_file(reader);
	ck_assert_int_eq(file_try_read(reader, 100), 0);
	object_close(reader);
}
END_TEST

/* The writer's open has not been answered, so the reader still waits for the first one. */
START_TEST(test_adopt_pipes_writer_that_comes_again)
{
	struct channel *channel = object_make(adopt_open(&pipe_kind), "p");
	struct file *reader = object_open(channel, O_RDONLY), *writer;

	host.journal->request = REQUEST;
	writer = object_open(channel, O_WRONLY);
	adopt_again(REQUEST);
	adopt_restart();
	reader = adopted_file(reader);
	object_close(adopted_file(writer));
	must_fail(file_try_read(reader, 100), EAGAIN);
	/* The open has failed meanwhile, and does not come again; nor was anybody there. */
	adopt_again(REQUEST + 2);
	adopt_restart();
	reader = adopted_file(reader);
	must_fail(file_try_read(reader, 100), EAGAIN);
	object_close(reader);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_pipes");
	TCase *kept;

	suite_add(suite, "bytes",
		  (const TTest *const[]){
			  test_adopt_pipes_bytes_and_settings_stay,
			  test_adopt_pipes_full_one,
			  test_adopt_pipes_after_each_call,
			  test_adopt_pipes_write_that_did_not_end,
			  test_adopt_pipes_first_write_that_did_not_end,
			  test_adopt_pipes_read_whose_pieces_are_there,
			  test_adopt_pipes_all_taken,
			  test_adopt_pipes_received_bytes,
			  test_adopt_pipes_accepted_bytes,
			  NULL,
		  });
	kept = suite_add(suite, "kept",
			 (const TTest *const[]){
				 test_adopt_pipes_kept_bytes,
				 test_adopt_pipes_full_one,
				 NULL,
			 });
	tcase_add_checked_fixture(kept, setup_outlives, NULL);
	suite_add_loop(suite, "lent", (const TTest *const[]){test_adopt_pipes_lent_bytes, NULL}, 2);
	suite_add(suite, "opens",
		  (const TTest *const[]){
			  test_adopt_pipes_end_of_readers,
			  test_adopt_pipes_writer_that_comes_again,
			  NULL,
		  });
	return suite_run(suite);
}
