/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring of messages, one behaviour at a time: who gets which message, what is kept, what is
 * dropped and who has missed it.
 */
#include "lib/channel/ring.h"

#include <stdlib.h>

#include "tests/unit/fixture.h"

enum { KIB = 1024, CAPACITY = 4 * KIB, HEAD = 8 };

static struct ring ring;

static void new_ring(uint64_t keep)
{
	const struct ring_keep some = {keep, UINT64_MAX};

	ring_init(&ring, &(struct ring_owner){.state = host_state, .users = &host.users}, CAPACITY);
	ring_set_keep(&ring, &some);
}

static size_t charged(void)
{
	return user_charged(&host.users, 0, USER_STORED);
}

static void end_ring(void)
{
	ring_fini(&ring);
	ck_assert_uint_eq(charged(), 0);
}

static void new_ring_of_one(struct ring_reader *reader)
{
	new_ring(0);
	ring_join(&ring, reader, NULL, UINT64_MAX);
}

static void end_ring_of_one(struct ring_reader *reader)
{
	ring_leave(&ring, reader);
	end_ring();
}

static void new_ring_of_two(struct ring_reader *first, struct ring_reader *second)
{
	new_ring(0);
	ring_join(&ring, first, NULL, UINT64_MAX);
	ring_join(&ring, second, NULL, UINT64_MAX);
}

static void end_ring_of_two(struct ring_reader *first, struct ring_reader *second)
{
	ring_leave(&ring, first);
	ring_leave(&ring, second);
	end_ring();
}

static int put_bytes(const void *data, size_t size, bool is_forced)
{
	struct iovec iov = {(void *)data, size};
	int r = ring_make_room(&ring, size, is_forced);

	if (r < 0)
		return r;
	ring_append(&ring, size);
	ring_fill(&ring, &iov, 1);
	return 0;
}

static void put(const char *text)
{
	must(put_bytes(text, strlen(text), true));
}

/* Puts a message that takes `size` bytes of the capacity. */
static int put_taking(size_t size, bool is_forced)
{
	static const char zeroes[CAPACITY];

	return put_bytes(zeroes, size - HEAD, is_forced);
}

static void expect(struct ring_reader *reader, const char *text)
{
	struct iovec iov[RING_PIECES];
	char got[64] = "";
	size_t size = 0;
	int n;

	ck_assert_int_eq(must(ring_next(&ring, reader, iov, &n)), strlen(text));
	for (int i = 0; i < n; i++) {
		memcpy(got + size, iov[i].iov_base, iov[i].iov_len);
		size += iov[i].iov_len;
	}
	ck_assert_uint_eq(size, strlen(text));
	ck_assert_str_eq(got, text);
	ring_advance(&ring, reader);
}

static void expect_nothing(struct ring_reader *reader)
{
	struct iovec iov[RING_PIECES];
	int n;

	must_fail(ring_next(&ring, reader, iov, &n), EAGAIN);
	ck_assert_uint_eq(ring_behind(&ring, reader), 0);
}

START_TEST(test_ring_new_needs_nothing)
{
	new_ring(0);
	ck_assert(!ring_is_needed(&ring));
	ck_assert_uint_eq(ring_messages(&ring), 0);
	ck_assert_uint_eq(ring_used(&ring), 0);
	ck_assert_uint_eq(charged(), 0);
	ck_assert(ring_has_room(&ring, 1));
	end_ring();
}
END_TEST

START_TEST(test_ring_every_reader_gets_every_message_in_order)
{
	struct ring_reader first, second;

	new_ring_of_two(&first, &second);
	put("one");
	put("two");
	ck_assert_uint_eq(ring_behind(&ring, &first), 2);
	expect(&first, "one");
	expect(&first, "two");
	expect_nothing(&first);
	expect(&second, "one");
	expect(&second, "two");
	expect_nothing(&second);
	end_ring_of_two(&first, &second);
}
END_TEST

START_TEST(test_ring_what_all_have_read_is_gone)
{
	struct ring_reader first, second;

	new_ring_of_two(&first, &second);
	put("one");
	put("two");
	expect(&first, "one");
	ck_assert_uint_eq(ring_messages(&ring), 2);
	expect(&second, "one");
	ck_assert_uint_eq(ring_messages(&ring), 1);
	ck_assert_uint_eq(ring.bytes, 3);
	ring_leave(&ring, &first);
	ck_assert_uint_eq(ring_messages(&ring), 1);
	ring_leave(&ring, &second);
	ck_assert_uint_eq(ring_messages(&ring), 0);
	ck_assert_uint_eq(charged(), 0);
	end_ring();
}
END_TEST

START_TEST(test_ring_next_alone_takes_nothing)
{
	struct ring_reader reader;
	struct iovec iov[RING_PIECES];
	int n;

	new_ring_of_one(&reader);
	put("one");
	must(ring_next(&ring, &reader, iov, &n));
	must(ring_next(&ring, &reader, iov, &n));
	ck_assert_uint_eq(ring_behind(&ring, &reader), 1);
	expect(&reader, "one");
	expect_nothing(&reader);
	end_ring_of_one(&reader);
}
END_TEST

START_TEST(test_ring_without_readers_only_counts)
{
	struct ring_reader reader;

	new_ring(0);
	ring_pass(&ring);
	ring_pass(&ring);
	ck_assert_uint_eq(ring.tail.number, 2);
	ck_assert_uint_eq(charged(), 0);
	ring_join(&ring, &reader, NULL, UINT64_MAX);
	ck_assert(ring_is_needed(&ring));
	expect_nothing(&reader);
	ck_assert_uint_eq(ring_missed(&ring, &reader), 0);
	end_ring_of_one(&reader);
}
END_TEST

START_TEST(test_ring_late_reader_begins_with_what_is_kept)
{
	static const char *const names[] = {"0", "1", "2", "3", "4"};
	struct ring_reader reader;

	new_ring(3);
	for (int i = 0; i < 5; i++)
		put(names[i]);
	ck_assert_uint_eq(ring_messages(&ring), 3);
	ck_assert_uint_eq(ring_n_kept(&ring), 3);
	for (unsigned back = 0; back <= 5; back++) {
		unsigned begin = back < 3 ? 5 - back : 2;

		ring_join(&ring, &reader, NULL, back);
		for (unsigned i = begin; i < 5; i++)
			expect(&reader, names[i]);
		expect_nothing(&reader);
		ck_assert_uint_eq(ring_missed(&ring, &reader), 0);
		ring_leave(&ring, &reader);
	}
	end_ring();
}
END_TEST

START_TEST(test_ring_keeps_no_more_bytes_than_told)
{
	const struct ring_keep ten = {UINT64_MAX, 10};
	struct ring_reader reader;

	new_ring(0);
	ring_set_keep(&ring, &ten);
	put("1234");
	put("567");
	put("890");
	ck_assert_uint_eq(ring_n_kept(&ring), 3);
	ck_assert_uint_eq(ring.bytes_kept, 10);
	put("x");
	ck_assert_uint_eq(ring_n_kept(&ring), 3);
	put("12345678901");
	ck_assert_uint_eq(ring_n_kept(&ring), 1);
	put("y");
	ring_join(&ring, &reader, NULL, UINT64_MAX);
	expect(&reader, "y");
	end_ring_of_one(&reader);
}
END_TEST

START_TEST(test_ring_kept_less_drops_and_kept_more_brings_nothing_back)
{
	const struct ring_keep one = {1, UINT64_MAX}, many = {100, UINT64_MAX}, none = {0};
	struct ring_reader slow, late;

	new_ring(3);
	put("a");
	put("b");
	put("c");
	ring_join(&ring, &slow, NULL, 2);
	ring_set_keep(&ring, &one);
	ck_assert_uint_eq(ring_n_kept(&ring), 1);
	ck_assert_uint_eq(ring_messages(&ring), 2);
	ring_set_keep(&ring, &many);
	ring_join(&ring, &late, NULL, UINT64_MAX);
	expect(&slow, "b");
	expect(&slow, "c");
	expect(&late, "c");
	ring_leave(&ring, &slow);
	ring_leave(&ring, &late);
	ring_set_keep(&ring, &none);
	ck_assert_uint_eq(charged(), 0);
	end_ring();
}
END_TEST

START_TEST(test_ring_forced_room_drops_the_oldest_which_is_missed)
{
	struct ring_reader slow, fast;

	new_ring_of_two(&slow, &fast);
	put("one");
	put("two");
	expect(&fast, "one");
	must(put_taking(CAPACITY - 2 * 16, true));
	ck_assert_uint_eq(ring_used(&ring), CAPACITY);
	put("three");
	ck_assert_uint_eq(ring_missed(&ring, &slow), 1);
	ck_assert_uint_eq(ring_missed(&ring, &fast), 0);
	ck_assert_uint_eq(ring_behind(&ring, &slow), 3);
	put("four");
	ck_assert_uint_eq(ring_missed(&ring, &slow), 2);
	ck_assert_uint_eq(ring_missed(&ring, &fast), 1);
	put("five");
	expect(&slow, "three");
	expect(&slow, "four");
	expect(&fast, "three");
	ck_assert_uint_eq(ring_missed(&ring, &slow), 3);
	ck_assert_uint_eq(ring_missed(&ring, &fast), 2);
	end_ring_of_two(&slow, &fast);
}
END_TEST

START_TEST(test_ring_unforced_room_waits_for_the_slowest)
{
	struct ring_reader slow, fast;

	new_ring_of_two(&slow, &fast);
	put("one");
	must(put_taking(CAPACITY - 16, false));
	expect(&fast, "one");
	ck_assert(!ring_has_room(&ring, 1));
	must_fail(put_taking(16, false), EAGAIN);
	expect(&slow, "one");
	ck_assert(ring_has_room(&ring, 8));
	ck_assert(!ring_has_room(&ring, 9));
	must(put_taking(16, false));
	ck_assert_uint_eq(ring_missed(&ring, &slow), 0);
	end_ring_of_two(&slow, &fast);
}
END_TEST

START_TEST(test_ring_unforced_room_waits_no_more_when_the_slowest_leaves)
{
	struct ring_reader slow, fast;

	new_ring_of_two(&slow, &fast);
	put("one");
	must(put_taking(CAPACITY - 16, false));
	expect(&fast, "one");
	must_fail(put_taking(16, false), EAGAIN);
	ring_leave(&ring, &slow);
	ck_assert(ring_has_room(&ring, 8));
	must(put_taking(16, false));
	ring_leave(&ring, &fast);
	end_ring();
}
END_TEST

START_TEST(test_ring_reader_given_the_message_directly_needs_no_bytes)
{
	struct ring_reader first, second;
	struct iovec iov = {"one", 3};

	new_ring_of_two(&first, &second);
	must(ring_make_room(&ring, 3, false));
	ring_append(&ring, 3);
	ring_advance(&ring, &first);
	ring_fill(&ring, &iov, 1);
	expect_nothing(&first);
	expect(&second, "one");
	must(ring_make_room(&ring, 3, false));
	ring_append(&ring, 3);
	ring_advance(&ring, &first);
	ring_advance(&ring, &second);
	ring_fill(&ring, &iov, 1);
	ck_assert_uint_eq(ring_messages(&ring), 0);
	end_ring_of_two(&first, &second);
}
END_TEST

/* Every message is cut by the end of the memory at another byte. */
START_TEST(test_ring_message_in_pieces_is_whole)
{
	struct ring_reader reader;
	char text[33] = "0123456789abcdefghijklmnopqrst";
	struct iovec iov[3] = {{text, 7}, {text + 7, 0}, {text + 7, 23}};

	new_ring_of_one(&reader);
	for (int i = 0; i < 1000; i++) {
		must(ring_make_room(&ring, 30, false));
		ring_append(&ring, 30);
		ring_fill(&ring, iov, 3);
		put("123"); /* so that the offsets shift */
		expect(&reader, text);
		expect(&reader, "123");
	}
	end_ring_of_one(&reader);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ring");

	suite_add(suite, "ring",
		  (const TTest *const[]){
			  test_ring_new_needs_nothing,
			  test_ring_every_reader_gets_every_message_in_order,
			  test_ring_what_all_have_read_is_gone,
			  test_ring_next_alone_takes_nothing,
			  test_ring_without_readers_only_counts,
			  test_ring_late_reader_begins_with_what_is_kept,
			  test_ring_keeps_no_more_bytes_than_told,
			  test_ring_kept_less_drops_and_kept_more_brings_nothing_back,
			  test_ring_forced_room_drops_the_oldest_which_is_missed,
			  test_ring_unforced_room_waits_for_the_slowest,
			  test_ring_unforced_room_waits_no_more_when_the_slowest_leaves,
			  test_ring_reader_given_the_message_directly_needs_no_bytes,
			  test_ring_message_in_pieces_is_whole,
			  NULL,
		  });
	return suite_run(suite);
}
