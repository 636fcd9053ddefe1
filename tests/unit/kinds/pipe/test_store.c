/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes in a kernel pipe: how far it grows, what that is charged, and what one who has used up
 * USER_STORED still gets.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/kinds/pipe/store.h"
#include "tests/unit/fixture.h"

enum { KIB = 1024, FIRST = 64 * KIB, LEAST = 8 * KIB, CAPACITY = 1024 * KIB };

static const char zeroes[2 * CAPACITY];

static struct store new_store(void)
{
	struct store store;

	store_init(&store, &host.users, 0);
	return store;
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

	while ((n = store_put(store, zeroes, 4 * KIB)) != -EAGAIN)
		total += (size_t)must(n);
	return total;
}

START_TEST(test_store_new_needs_nothing)
{
	int n = fixture_descriptors();
	struct store store = new_store();

	ck_assert_uint_eq(store.bytes, 0);
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

	ck_assert_int_eq(store_put(&store, "abc", 3), 3);
	ck_assert_int_eq(store_put(&store, "def", 3), 3);
	ck_assert_uint_eq(store.bytes, 6);
	ck_assert_int_eq(store_take(&store, data, 4), 4);
	ck_assert_str_eq(data, "abcd");
	ck_assert_uint_eq(store.bytes, 2);
	ck_assert_int_eq(store_take(&store, data, 8), 2);
	ck_assert_uint_eq(store.bytes, 0);
	must_fail(store_take(&store, data, 8), EAGAIN);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_begins_small)
{
	struct store store = new_store();

	must(store_put(&store, "x", 1));
	ck_assert_uint_eq(charged(), FIRST);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_grows_up_to_capacity)
{
	struct store store = new_store();

	ck_assert_uint_eq(fill(&store), CAPACITY);
	ck_assert_uint_eq(charged(), CAPACITY);
	ck_assert_uint_eq(store.bytes, CAPACITY);
	ck_assert(!store_has_room(&store));
	store_empty(&store);
}
END_TEST

START_TEST(test_store_one_large_put_fills_it)
{
	struct store store = new_store();

	ck_assert_int_eq(store_put(&store, zeroes, sizeof(zeroes)), CAPACITY);
	must_fail(store_put(&store, zeroes, 1), EAGAIN);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_with_small_capacity_stays_small)
{
	struct store store = new_store();

	store.capacity = 16 * KIB;
	ck_assert_uint_eq(fill(&store), 16 * KIB);
	ck_assert_uint_eq(charged(), 16 * KIB);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_taken_makes_room)
{
	struct store store = new_store();
	char data[4 * KIB];

	fill(&store);
	ck_assert_int_eq(store_take(&store, data, sizeof(data)), sizeof(data));
	ck_assert(store_has_room(&store));
	ck_assert_int_eq(store_put(&store, data, sizeof(data)), sizeof(data));
	store_empty(&store);
}
END_TEST

START_TEST(test_store_emptied_gives_all_back)
{
	int n = fixture_descriptors();
	struct store store = new_store();

	fill(&store);
	ck_assert_int_eq(fixture_descriptors(), n + 2);
	store_empty(&store);
	ck_assert_uint_eq(charged(), 0);
	ck_assert_uint_eq(store.bytes, 0);
	ck_assert_int_eq(fixture_descriptors(), n);
	ck_assert_int_eq(store_put(&store, "again", 5), 5);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_of_user_without_quota_is_of_least_size)
{
	struct store store = new_store();

	host.users.limits[USER_STORED] = 0;
	ck_assert_uint_eq(fill(&store), LEAST);
	ck_assert_uint_eq(charged(), 0);
	ck_assert(!store_has_room(&store));
	store_empty(&store);
}
END_TEST

START_TEST(test_store_of_user_with_quota_again_grows)
{
	struct store store = new_store();

	host.users.limits[USER_STORED] = 0;
	fill(&store);
	host.users.limits[USER_STORED] = CAPACITY;
	ck_assert_uint_eq(fill(&store), CAPACITY - LEAST);
	ck_assert_uint_eq(charged(), CAPACITY);
	store_empty(&store);
}
END_TEST

/* The quota ends its growth half-way: who polls must not be told of room that there is not. */
START_TEST(test_store_that_may_not_grow_has_no_room)
{
	struct store store = new_store();

	host.users.limits[USER_STORED] = FIRST;
	ck_assert_uint_eq(fill(&store), FIRST);
	ck_assert(!store_has_room(&store));
	store_empty(&store);
}
END_TEST

START_TEST(test_store_of_one_user_leaves_others_theirs)
{
	struct store first = new_store(), second;

	host.users.limits[USER_STORED] = CAPACITY;
	store_init(&second, &host.users, STRANGER);
	ck_assert_uint_eq(fill(&first), CAPACITY);
	ck_assert_uint_eq(fill(&second), CAPACITY);
	store_empty(&first);
	store_empty(&second);
}
END_TEST

START_TEST(test_store_without_descriptors_enfile)
{
	struct store store = new_store();
	ssize_t n;

	fixture_limit_descriptors(1);
	n = store_put(&store, "x", 1);
	fixture_unlimit_descriptors();
	must_fail(n, ENFILE);
	ck_assert_uint_eq(charged(), 0);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_shrinks_to_what_it_may)
{
	struct store store = new_store();
	char data[4 * KIB];

	fill(&store);
	while (store_take(&store, data, sizeof(data)) > 0)
		continue;
	must(store_shrink(&store, 16 * KIB));
	store.capacity = 16 * KIB;
	ck_assert_uint_eq(charged(), 16 * KIB);
	ck_assert_uint_eq(fill(&store), 16 * KIB);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_shrunk_below_its_content_ebusy)
{
	struct store store = new_store();

	fill(&store);
	must_fail(store_shrink(&store, 16 * KIB), EBUSY);
	ck_assert_uint_eq(charged(), CAPACITY);
	ck_assert_uint_eq(store.bytes, CAPACITY);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_shrinks_where_the_quota_is_used_up)
{
	struct store store = new_store();

	must(store_put(&store, "x", 1));
	host.users.limits[USER_STORED] = 0;
	must(store_shrink(&store, 16 * KIB));
	ck_assert_uint_eq(charged(), 16 * KIB);
	store_empty(&store);
}
END_TEST

START_TEST(test_store_shrink_of_empty_one_does_nothing)
{
	int n = fixture_descriptors();
	struct store store = new_store();

	must(store_shrink(&store, 16 * KIB));
	ck_assert_int_eq(fixture_descriptors(), n);
	store_empty(&store);
}
END_TEST

/* /proc/sys/fs/pipe-max-size binds all but root. */
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

	must(store_put(&store, "hello", 5));
	must(store_peek(&store, out));
	fclose(out);
	ck_assert_str_eq(shown, "hello");
	ck_assert_int_eq(store_take(&store, taken, sizeof(taken)), 5);
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
	ck_assert_uint_eq(store.bytes, CAPACITY);
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
			  test_store_shrinks_to_what_it_may,
			  test_store_shrunk_below_its_content_ebusy,
			  test_store_shrinks_where_the_quota_is_used_up,
			  test_store_shrink_of_empty_one_does_nothing,
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
			  test_store_taken_makes_room,
			  test_store_emptied_gives_all_back,
			  test_store_without_descriptors_enfile,
			  test_store_peek_shows_all_and_takes_nothing,
			  test_store_peek_shows_a_full_one,
			  NULL,
		  });
	add_size_tests(suite);
	suite_add(suite, "quota",
		  (const TTest *const[]){
			  test_store_of_user_without_quota_is_of_least_size,
			  test_store_of_user_with_quota_again_grows,
			  test_store_that_may_not_grow_has_no_room,
			  test_store_of_one_user_leaves_others_theirs,
			  NULL,
		  });
	return suite_run(suite);
}
