/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that stay in the buffer they arrived in. The memory that was put is the memory that is
 * lent, in order with bytes that were copied. Also how kept bytes are charged.
 */
#include <stdlib.h>

#include "lib/kinds/pipe/store.h"
#include "tests/unit/fixture.h"

enum { HEAD = 80, KIB = 1024, CAPACITY = 1024 * KIB, PIECE = 64 * KIB };

static struct store_record record;

static struct store new_store(void)
{
	struct store store;

	store_init(&store, &host, 0, &record);
	return store;
}

/* Takes up to `size` bytes. -EAGAIN: none wait. */
static ssize_t take_some(struct store *store, char *data, size_t size)
{
	size_t n = store_copy(store, data, size);

	store_drop(store, n);
	return n ? (ssize_t)n : -EAGAIN;
}

static size_t charged(void)
{
	return user_charged(&host.users, 0, USER_STORED);
}

/* Receives a request and puts its bytes. Returns how many were accepted. */
static ssize_t come(struct store *store, char byte, size_t size)
{
	char *data = buffers_next(&host.buffers) + HEAD;

	memset(data, byte, size);
	return store_put(store, data, size, host.buffers.current);
}

static void take(struct store *store, char byte, size_t size)
{
	char *data = malloc(size);

	ck_assert_int_eq(take_some(store, data, size), (ssize_t)size);
	ck_assert_int_eq(data[0], byte);
	ck_assert_mem_eq(data, data + 1, size - 1);
	free(data);
}

START_TEST(test_store_kept_is_not_copied)
{
	struct store store = new_store();
	const char *data = buffers_next(&host.buffers) + HEAD;
	struct pieces pieces;

	ck_assert_int_eq(come(&store, 'a', PIECE), PIECE);
	ck_assert_uint_eq(store_lend(&store, CAPACITY, &pieces), PIECE);
	ck_assert_int_eq(pieces.n, 1);
	ck_assert_ptr_eq(pieces.iov[0].iov_base, data);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_kept_is_charged_by_the_buffer)
{
	struct store store = new_store();

	ck_assert_int_eq(come(&store, 'a', PIECE), PIECE);
	ck_assert_uint_eq(charged(), BUFFER_SIZE);
	ck_assert_int_eq(come(&store, 'b', PIECE), PIECE);
	ck_assert_uint_eq(charged(), BUFFER_SIZE);
	take(&store, 'a', PIECE);
	take(&store, 'b', PIECE - 1);
	ck_assert_uint_eq(charged(), BUFFER_SIZE);
	take(&store, 'b', 1);
	ck_assert_uint_eq(charged(), 0);
}
END_TEST

/* 1 MiB in pieces of 64 KiB takes two buffers, not sixteen. */
START_TEST(test_store_kept_pieces_share_buffers)
{
	struct store store = new_store();

	for (int i = 0; i < CAPACITY / PIECE; i++)
		ck_assert_int_eq(come(&store, 'a', PIECE), PIECE);
	ck_assert_uint_le(charged(), 2 * BUFFER_SIZE);
	ck_assert(!store_has_room(&store));
	take(&store, 'a', CAPACITY);
	ck_assert_uint_eq(charged(), 0);
}
END_TEST

START_TEST(test_store_kept_little_is_copied)
{
	struct store store = new_store();

	for (int i = 0; i < 16; i++)
		ck_assert_int_eq(come(&store, (char)('a' + i), 16 * KIB), 16 * KIB);
	ck_assert_uint_lt(charged(), 512 * KIB);
	for (int i = 0; i < 16; i++)
		take(&store, (char)('a' + i), 16 * KIB);
	store_empty(&store);
	ck_assert_uint_eq(charged(), 0);
}
END_TEST

START_TEST(test_store_kept_and_copied_are_in_order)
{
	struct store store = new_store();
	struct pieces pieces;

	ck_assert_int_eq(come(&store, 'a', 100), 100);
	ck_assert_int_eq(come(&store, 'b', PIECE), PIECE);
	ck_assert_int_eq(come(&store, 'c', 100), 100);
	ck_assert_int_eq(come(&store, 'd', 100), 100);
	ck_assert_int_eq(come(&store, 'e', 2 * PIECE), 2 * PIECE);
	ck_assert_uint_eq(store_lend(&store, CAPACITY, &pieces), 300 + 3 * PIECE);
	ck_assert_int_eq(pieces.n, 4);
	take(&store, 'a', 100);
	take(&store, 'b', PIECE);
	take(&store, 'c', 100);
	take(&store, 'd', 100);
	take(&store, 'e', 2 * PIECE);
	ck_assert_uint_eq(store_bytes(&store), 0);
	store_empty(&store);
	ck_assert_uint_eq(charged(), 0);
}
END_TEST

START_TEST(test_store_kept_shows_no_more_than_is_asked_for)
{
	struct store store = new_store();
	struct pieces pieces;

	come(&store, 'a', PIECE);
	come(&store, 'b', PIECE);
	ck_assert_uint_eq(store_lend(&store, PIECE + 10, &pieces), PIECE + 10);
	ck_assert_int_eq(pieces.n, 2);
	ck_assert_uint_eq(pieces.iov[1].iov_len, 10);
	ck_assert_uint_eq(store_lend(&store, PIECE, &pieces), PIECE);
	ck_assert_int_eq(pieces.n, 1);
	store_drop(&store, PIECE + 10);
	ck_assert_uint_eq(store_bytes(&store), PIECE - 10);
	ck_assert_uint_eq(store_lend(&store, CAPACITY, &pieces), PIECE - 10);
	take(&store, 'b', PIECE - 10);
}
END_TEST

/* If a write does not fit, the store takes only the part that does. */
START_TEST(test_store_kept_capacity_is_held_to_the_byte)
{
	struct store store = new_store();

	ck_assert_int_eq(come(&store, 'a', 100), 100);
	ck_assert_int_eq(come(&store, 'b', CAPACITY), CAPACITY - 100);
	must_fail(come(&store, 'c', 1), EAGAIN);
	must_fail(come(&store, 'c', CAPACITY), EAGAIN);
	take(&store, 'a', 100);
	take(&store, 'b', CAPACITY - 100);
	ck_assert_int_eq(come(&store, 'c', CAPACITY), CAPACITY);
	take(&store, 'c', CAPACITY);
}
END_TEST

START_TEST(test_store_kept_without_quota_is_copied)
{
	struct store store = new_store();

	host.users.limits[USER_STORED] = 2 * CAPACITY;
	ck_assert_int_eq(come(&store, 'a', CAPACITY), CAPACITY);
	ck_assert_uint_lt(charged(), CAPACITY + CAPACITY / 8);
	take(&store, 'a', CAPACITY);
	host.users.limits[USER_STORED] = 0;
	ck_assert_int_eq(come(&store, 'a', CAPACITY), 8 * KIB);
	ck_assert_uint_eq(charged(), 0);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_kept_is_peeked)
{
	struct store store = new_store();
	char *shown = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&shown, &size);

	come(&store, 'a', 10);
	come(&store, 'b', PIECE);
	must(store_peek(&store, out));
	fclose(out);
	ck_assert_uint_eq(size, 10 + PIECE);
	ck_assert_int_eq(shown[9], 'a');
	ck_assert_int_eq(shown[10], 'b');
	free(shown);
	ck_assert_uint_eq(store_bytes(&store), 10 + PIECE);
	store_empty(&store);
	ck_assert_uint_eq(charged(), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_kept");

	suite_add(suite, "kept",
		  (const TTest *const[]){
			  test_store_kept_is_not_copied,
			  test_store_kept_is_charged_by_the_buffer,
			  test_store_kept_pieces_share_buffers,
			  test_store_kept_little_is_copied,
			  test_store_kept_and_copied_are_in_order,
			  test_store_kept_shows_no_more_than_is_asked_for,
			  test_store_kept_capacity_is_held_to_the_byte,
			  test_store_kept_without_quota_is_copied,
			  test_store_kept_is_peeked,
			  NULL,
		  });
	return suite_run(suite);
}
