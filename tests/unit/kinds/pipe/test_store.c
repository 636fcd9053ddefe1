/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that are copied into a store: the order in which they are taken, how many fit, and how
 * their memory is charged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "lib/kinds/pipe/store.h"
#include "tests/unit/fixture.h"

enum { KIB = 1024, FIRST = 4 * KIB, LEFT = 16 * KIB, CAPACITY = 1024 * KIB };

static const char zeroes[2 * CAPACITY];

static struct store_record record;

static struct store new_store(void)
{
	struct store store;

	store_init(&store, &host, 0, &record);
	return store;
}

static ssize_t put(struct store *store, const char *data, size_t size)
{
	return store_put(store, data, size, NULL);
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

/* Puts 4 KiB at a time until there is no room. */
static size_t fill(struct store *store)
{
	size_t total = 0;
	ssize_t n;

	while ((n = put(store, zeroes, 4 * KIB)) != -EAGAIN)
		total += (size_t)must(n);
	return total;
}

START_TEST(test_store_new_needs_nothing)
{
	int n = fixture_descriptors();
	struct store store = new_store();

	ck_assert_uint_eq(store_bytes(&store), 0);
	ck_assert_uint_eq(charged(), 0);
	ck_assert(store_has_room(&store));
	ck_assert_int_eq(fixture_descriptors(), n);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_put_is_taken_in_order)
{
	struct store store = new_store();
	char data[8] = "";

	ck_assert_int_eq(put(&store, "abc", 3), 3);
	ck_assert_int_eq(put(&store, "def", 3), 3);
	ck_assert_uint_eq(store_bytes(&store), 6);
	ck_assert_int_eq(take_some(&store, data, 4), 4);
	ck_assert_str_eq(data, "abcd");
	ck_assert_uint_eq(store_bytes(&store), 2);
	ck_assert_int_eq(take_some(&store, data, 8), 2);
	ck_assert_uint_eq(store_bytes(&store), 0);
	must_fail(take_some(&store, data, 8), EAGAIN);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_one_large_put_fills_it)
{
	struct store store = new_store();

	ck_assert_int_eq(put(&store, zeroes, sizeof(zeroes)), CAPACITY);
	must_fail(put(&store, zeroes, 1), EAGAIN);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_taken_makes_room)
{
	struct store store = new_store();
	char data[4 * KIB];

	fill(&store);
	ck_assert_int_eq(take_some(&store, data, sizeof(data)), sizeof(data));
	ck_assert(store_has_room(&store));
	ck_assert_int_eq(put(&store, data, sizeof(data)), sizeof(data));
	store_empty(&store);
}
END_TEST

/* A few bytes take little memory, and the smallest piece of memory stays for the next bytes. */
START_TEST(test_store_begins_small)
{
	struct store store = new_store();
	char data;

	must(put(&store, "x", 1));
	ck_assert_uint_eq(charged(), FIRST);
	must(take_some(&store, &data, 1));
	ck_assert_uint_eq(charged(), FIRST);
	store_empty(&store);
	ck_assert_uint_eq(charged(), 0);
}
END_TEST

/* Many small puts make few pieces, which take hardly more memory than the bytes. */
START_TEST(test_store_grows_up_to_capacity)
{
	struct store store = new_store();

	ck_assert_uint_eq(fill(&store), CAPACITY);
	ck_assert_uint_ge(charged(), CAPACITY);
	ck_assert_uint_le(charged(), CAPACITY + CAPACITY / 8);
	ck_assert_uint_eq(store_bytes(&store), CAPACITY);
	ck_assert(!store_has_room(&store));
	store_empty(&store);
}
END_TEST

START_TEST(test_store_with_small_capacity_stays_small)
{
	struct store store = new_store();

	store.capacity = 16 * KIB;
	ck_assert_uint_eq(fill(&store), 16 * KIB);
	ck_assert_uint_le(charged(), 24 * KIB);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_capacity_is_held_to_the_byte)
{
	struct store store = new_store();
	char data[5000];

	store.capacity = 10000;
	ck_assert_int_eq(put(&store, zeroes, 9999), 9999);
	ck_assert(store_has_room(&store));
	ck_assert_int_eq(put(&store, zeroes, 5000), 1);
	ck_assert(!store_has_room(&store));
	ck_assert_int_eq(take_some(&store, data, sizeof(data)), 5000);
	ck_assert_int_eq(put(&store, zeroes, 9999), 5000);
	store_empty(&store);
}
END_TEST

/* Puts and takes odd numbers of bytes, across the pieces. */
START_TEST(test_store_keeps_order_across_pieces)
{
	struct store store = new_store();
	char data[4096];
	size_t n_put = 0, n_taken = 0;

	while (n_taken < CAPACITY) {
		size_t size = 1 + n_put % 3001;

		for (size_t i = 0; i < size; i++)
			data[i] = (char)((n_put + i) % 251);
		n_put += (size_t)must(put(&store, data, size));
		size = (size_t)must(take_some(&store, data, 1 + n_taken % 2503));
		for (size_t i = 0; i < size; i++)
			ck_assert_int_eq(data[i], (char)((n_taken + i) % 251));
		n_taken += size;
		ck_assert_uint_eq(store_bytes(&store), n_put - n_taken);
	}
	store_empty(&store);
	ck_assert_uint_eq(charged(), 0);
}
END_TEST

START_TEST(test_store_drained_leaves_one_small_piece)
{
	struct store store = new_store();
	static char data[CAPACITY];

	fill(&store);
	ck_assert_int_eq(take_some(&store, data, sizeof(data)), sizeof(data));
	must_fail(take_some(&store, data, sizeof(data)), EAGAIN);
	ck_assert_uint_le(charged(), LEFT);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_emptied_gives_all_back)
{
	struct store store = new_store();

	fill(&store);
	store_empty(&store);
	ck_assert_uint_eq(charged(), 0);
	ck_assert_uint_eq(store_bytes(&store), 0);
	ck_assert_int_eq(put(&store, "again", 5), 5);
	store_empty(&store);
	store_empty(&store);
	ck_assert_uint_eq(charged(), 0);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* AddressSanitizer's allocator does not fail */
START_TEST(test_store_without_memory_enomem)
{
	struct rlimit none, before;
	struct store store = new_store();
	ssize_t n = 1;

	store.capacity = 64 * CAPACITY;
	must_call(getrlimit(RLIMIT_DATA, &before));
	none = before;
	none.rlim_cur = 1; /* 0 would mean no limit: linux/mm/mmap.c */
	must_call(setrlimit(RLIMIT_DATA, &none));
	while (n > 0)
		n = put(&store, zeroes, sizeof(zeroes));
	must_call(setrlimit(RLIMIT_DATA, &before));
	must_fail(n, ENOMEM);
	store_empty(&store);
	ck_assert_uint_eq(charged(), 0);
}
END_TEST

#endif

START_TEST(test_store_shrunk_is_held_to_what_it_may)
{
	struct store store = new_store();
	char data[4 * KIB];

	fill(&store);
	while (take_some(&store, data, sizeof(data)) > 0)
		continue;
	must(store_shrink(&store, 16 * KIB));
	store.capacity = 16 * KIB;
	ck_assert_uint_eq(fill(&store), 16 * KIB);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_shrunk_below_its_content_ebusy)
{
	struct store store = new_store();

	fill(&store);
	must_fail(store_shrink(&store, CAPACITY - 1), EBUSY);
	must(store_shrink(&store, CAPACITY));
	ck_assert_uint_eq(store_bytes(&store), CAPACITY);
	store_empty(&store);
}
END_TEST

/* /proc/sys/fs/pipe-max-size binds all users except root. */
START_TEST(test_store_check_has_the_kernels_limit_for_users)
{
	FILE *file = fopen("/proc/sys/fs/pipe-max-size", "re");
	size_t max = 0;

	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fscanf(file, "%zu", &max), 1);
	fclose(file);
	must(store_check(max, &stranger));
	must_fail(store_check(max + 1, &stranger), EPERM);
}
END_TEST

START_TEST(test_store_peek_shows_all_and_takes_nothing)
{
	struct store store = new_store();
	char shown[16] = "", taken[16] = "";
	FILE *out = fmemopen(shown, sizeof(shown), "w");

	must(put(&store, "hello", 5));
	must(store_peek(&store, out));
	fclose(out);
	ck_assert_str_eq(shown, "hello");
	ck_assert_int_eq(take_some(&store, taken, sizeof(taken)), 5);
	ck_assert_str_eq(taken, "hello");
	store_empty(&store);
}
END_TEST

START_TEST(test_store_peek_shows_a_full_one)
{
	struct store store = new_store();
	char *shown = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&shown, &size);

	fill(&store);
	must(store_peek(&store, out));
	fclose(out);
	free(shown);
	ck_assert_uint_eq(size, CAPACITY);
	ck_assert_uint_eq(store_bytes(&store), CAPACITY);
	store_empty(&store);
}
END_TEST

static void add_size_tests(Suite *suite)
{
	suite_add(suite, "size",
		  (const TTest *const[]){
			  test_store_begins_small,
			  test_store_grows_up_to_capacity,
			  test_store_one_large_put_fills_it,
			  test_store_with_small_capacity_stays_small,
			  test_store_capacity_is_held_to_the_byte,
			  test_store_drained_leaves_one_small_piece,
			  test_store_shrunk_is_held_to_what_it_may,
			  test_store_shrunk_below_its_content_ebusy,
			  test_store_check_has_the_kernels_limit_for_users,
			  NULL,
		  });
}

int main(void)
{
	Suite *suite = suite_create("store");

	suite_add(suite, "bytes",
		  (const TTest *const[]){
			  test_store_new_needs_nothing,
			  test_store_put_is_taken_in_order,
			  test_store_keeps_order_across_pieces,
			  test_store_taken_makes_room,
			  test_store_emptied_gives_all_back,
#ifndef __SANITIZE_ADDRESS__
			  test_store_without_memory_enomem,
#endif
			  test_store_peek_shows_all_and_takes_nothing,
			  test_store_peek_shows_a_full_one,
			  NULL,
		  });
	add_size_tests(suite);
	return suite_run(suite);
}
