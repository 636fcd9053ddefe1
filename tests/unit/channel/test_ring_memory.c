/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much memory a ring takes, whom it is charged to, and what a user who has used up USER_STORED
 * still gets.
 */
#include "lib/channel/ring.h"

#include <stdlib.h>

#include "tests/unit/fixture.h"

enum { KIB = 1024, MIB = KIB * KIB, FREE_OF_CHARGE = 8 * KIB };

static struct ring ring;
static struct ring_reader reader;
static char zeroes[64 * MIB];

static void new_ring(size_t capacity)
{
	ring_init(&ring, &(struct ring_owner){.state = host_state, .users = &host.users}, capacity);
	ring_join(&ring, &reader, NULL, 0);
}

static size_t charged(void)
{
	return user_charged(&host.users, 0, USER_STORED);
}

static void end_ring(void)
{
	ring_leave(&ring, &reader);
	ck_assert_uint_eq(charged(), 0);
	ring_fini(&ring);
}

static int put(size_t size, bool is_forced)
{
	struct iovec iov = {zeroes, size};
	int r = ring_make_room(&ring, size, is_forced);

	if (r < 0)
		return r;
	ring_append(&ring, size);
	ring_fill(&ring, &iov, 1);
	return 0;
}

/* Puts messages until one would have to wait. Returns how many bytes are in the ring then. */
static size_t fill(size_t size)
{
	int r;

	while ((r = put(size, false)) == 0)
		;
	must_fail(r, EAGAIN);
	return ring.bytes;
}

static void read_all(void)
{
	while (ring_behind(&ring, &reader))
		ring_advance(&ring, &reader);
}

START_TEST(test_ring_memory_begins_small_and_grows_with_what_is_in_it)
{
	new_ring(MIB);
	ck_assert_uint_eq(charged(), 0);
	must(put(1, false));
	ck_assert_uint_le(charged(), 5 * KIB);
	must(put(100 * KIB, false));
	ck_assert_uint_ge(charged(), 100 * KIB);
	ck_assert_uint_le(charged(), 150 * KIB);
	ck_assert_uint_gt(fill(4 * KIB), MIB - 8 * KIB);
	ck_assert_uint_le(charged(), MIB + MIB / 4);
	end_ring();
}
END_TEST

START_TEST(test_ring_memory_of_the_greatest_capacity_is_filled)
{
	new_ring(RING_CAPACITY_MOST);
	must(put(RING_CAPACITY_MOST - 8, false));
	must_fail(put(1, false), EAGAIN);
	must(put(1, true));
	ck_assert_uint_eq(ring_missed(&ring, &reader), 1);
	end_ring();
}
END_TEST

/* The shortest messages: no index into the ring may run over. */
START_TEST(test_ring_memory_full_of_short_messages_finds_each)
{
	const struct ring_keep all = {UINT64_MAX, UINT64_MAX};

	new_ring(64 * KIB);
	ring_set_keep(&ring, &all);
	for (int i = 0; i < 3 * 4096 + 77; i++)
		must(put(1, true));
	ck_assert_uint_eq(ring_n_kept(&ring), 4096);
	for (uint64_t i = 0; i <= 4096; i++) {
		struct ring_place place = ring_kept(&ring, i);

		ck_assert_uint_eq(place.number, ring.tail.number - i);
		ck_assert_uint_eq(place.offset, ring.tail.offset - 16 * i);
	}
	ring_empty(&ring);
	end_ring();
}
END_TEST

START_TEST(test_ring_memory_used_up_leaves_the_least)
{
	new_ring(MIB);
	host.users.limits[USER_STORED] = 0;
	ck_assert_uint_eq(fill(1016), FREE_OF_CHARGE - 8 * 8);
	ck_assert_uint_eq(charged(), 0);
	must(put(1016, true));
	ck_assert_uint_eq(ring_missed(&ring, &reader), 1);
	must(put(FREE_OF_CHARGE - 8, true));
	ck_assert_uint_eq(ring_missed(&ring, &reader), 9);
	end_ring();
}
END_TEST

START_TEST(test_ring_memory_used_up_too_long_enobufs_and_drops_nothing)
{
	new_ring(MIB);
	host.users.limits[USER_STORED] = 0;
	must(put(100, false));
	must_fail(put(FREE_OF_CHARGE, true), ENOBUFS);
	must_fail(put(FREE_OF_CHARGE, false), ENOBUFS);
	ck_assert_uint_eq(ring_behind(&ring, &reader), 1);
	ck_assert_uint_eq(ring_missed(&ring, &reader), 0);
	read_all();
	must_fail(put(FREE_OF_CHARGE, false), ENOBUFS);
	end_ring();
}
END_TEST

START_TEST(test_ring_memory_had_again_lets_it_grow)
{
	new_ring(64 * KIB);
	host.users.limits[USER_STORED] = 0;
	fill(1016);
	host.users.limits[USER_STORED] = MIB;
	ck_assert_uint_eq(fill(1016), 64 * 1016);
	ck_assert_uint_ge(charged(), 64 * KIB);
	end_ring();
}
END_TEST

/* A writer that is told there is room, and then has to wait, would try for ever. */
START_TEST(test_ring_memory_refused_is_no_room)
{
	new_ring(MIB);
	host.users.limits[USER_STORED] = 64 * KIB;
	fill(1016);
	ck_assert(!ring_has_room(&ring, 1016));
	read_all();
	ck_assert(ring_has_room(&ring, 1016));
	end_ring();
}
END_TEST

/* Of the messages that the only reader has read, all are kept that have room. */
START_TEST(test_ring_memory_kept_makes_no_writer_wait)
{
	const struct ring_keep all = {UINT64_MAX, UINT64_MAX};

	new_ring(4 * KIB);
	ring_set_keep(&ring, &all);
	must(put(8, false));
	must(put(8, false));
	ring_advance(&ring, &reader);
	must(put(4 * KIB - 2 * 16 - 8, false));
	ck_assert(ring_has_room(&ring, 8));
	must(put(8, false));
	ck_assert_uint_eq(ring_missed(&ring, &reader), 0);
	ck_assert(!ring_has_room(&ring, 8));
	must_fail(put(8, false), EAGAIN);
	ring_advance(&ring, &reader);
	ck_assert(ring_has_room(&ring, 8));
	must_fail(put(9, false), EAGAIN);
	ck_assert(!ring_has_room(&ring, 9));
	must(put(8, false));
	read_all();
	must(put(4 * KIB - 8, false));
	ring_empty(&ring);
	end_ring();
}
END_TEST

START_TEST(test_ring_memory_too_long_for_the_capacity_emsgsize)
{
	new_ring(4 * KIB);
	must(put(1, false));
	must(ring_check_size(&ring, 4 * KIB - 8));
	must_fail(ring_check_size(&ring, 4 * KIB - 7), EMSGSIZE);
	must_fail(ring_check_size(&ring, SIZE_MAX), EMSGSIZE);
	must_fail(ring_make_room(&ring, 4 * KIB - 7, true), EMSGSIZE);
	must_fail(ring_make_room(&ring, SIZE_MAX, true), EMSGSIZE);
	ck_assert_uint_eq(ring_behind(&ring, &reader), 1);
	read_all();
	must(put(4 * KIB - 8, false));
	end_ring();
}
END_TEST

START_TEST(test_ring_memory_of_one_user_is_not_anothers)
{
	struct ring other;
	struct ring_reader first;
	struct iovec iov = {zeroes, 100 * KIB};

	new_ring(MIB);
	host.users.limits[USER_STORED] = 160 * KIB;
	must(put(100 * KIB, false));
	must_fail(put(200 * KIB, true), ENOBUFS);
	ring_init(&other,
		  &(struct ring_owner){.state = host_state, .users = &host.users, .uid = STRANGER},
		  MIB);
	ring_join(&other, &first, NULL, 0);
	must(ring_make_room(&other, 100 * KIB, false));
	ring_append(&other, 100 * KIB);
	ring_fill(&other, &iov, 1);
	ck_assert_uint_ge(user_charged(&host.users, STRANGER, USER_STORED), 100 * KIB);
	ring_leave(&other, &first);
	ring_fini(&other);
	ck_assert_uint_eq(user_charged(&host.users, STRANGER, USER_STORED), 0);
	end_ring();
}
END_TEST

START_TEST(test_ring_memory_goes_back_with_the_last_reader_and_message)
{
	const struct ring_keep one = {1, UINT64_MAX}, none = {0};

	new_ring(MIB);
	ring_set_keep(&ring, &one);
	must(put(1000, false));
	ring_leave(&ring, &reader);
	ck_assert_uint_gt(charged(), 0);
	ring_set_keep(&ring, &none);
	ck_assert_uint_eq(charged(), 0);
	ring_set_keep(&ring, &one);
	must(put(1000, false));
	ck_assert_uint_gt(charged(), 0);
	ring_empty(&ring);
	ck_assert_uint_eq(charged(), 0);
	ring_fini(&ring);
}
END_TEST

START_TEST(test_ring_memory_emptied_is_missed_and_ready_for_more)
{
	new_ring(MIB);
	fill(4 * KIB);
	ck_assert(!ring_has_room(&ring, 4 * KIB));
	ring_empty(&ring);
	ck_assert_uint_eq(ring_behind(&ring, &reader), 0);
	ck_assert_uint_eq(ring_missed(&ring, &reader), ring.tail.number);
	ck_assert_uint_eq(ring_used(&ring), 0);
	ck_assert_uint_eq(ring.bytes, 0);
	ck_assert(ring_has_room(&ring, 4 * KIB));
	must(put(4 * KIB, false));
	ck_assert_uint_eq(ring_behind(&ring, &reader), 1);
	end_ring();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ring_memory");

	suite_add(suite, "memory",
		  (const TTest *const[]){
			  test_ring_memory_begins_small_and_grows_with_what_is_in_it,
			  test_ring_memory_of_the_greatest_capacity_is_filled,
			  test_ring_memory_full_of_short_messages_finds_each,
			  test_ring_memory_used_up_leaves_the_least,
			  test_ring_memory_used_up_too_long_enobufs_and_drops_nothing,
			  test_ring_memory_had_again_lets_it_grow,
			  test_ring_memory_refused_is_no_room,
			  test_ring_memory_kept_makes_no_writer_wait,
			  test_ring_memory_too_long_for_the_capacity_emsgsize,
			  test_ring_memory_of_one_user_is_not_anothers,
			  test_ring_memory_goes_back_with_the_last_reader_and_message,
			  test_ring_memory_emptied_is_missed_and_ready_for_more,
			  NULL,
		  });
	return suite_run(suite);
}
