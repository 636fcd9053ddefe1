/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a store still accepts from a user who has used up USER_STORED, or has little of it left.
 */
#include <malloc.h>
#include <stdlib.h>

#include "lib/kinds/pipe/store.h"
#include "tests/unit/fixture.h"

enum { KIB = 1024, LEAST = 8 * KIB, CAPACITY = 1024 * KIB };

static const char zeroes[4 * KIB];

static struct store new_store(void)
{
	struct store store;

	store_init(&store, &host.users, 0);
	return store;
}

static ssize_t put(struct store *store, const char *data, size_t size)
{
	return store_put(store, data, size, NULL);
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

START_TEST(test_store_quota_used_up_leaves_the_least)
{
	struct store store = new_store();

	host.users.limits[USER_STORED] = 0;
	ck_assert_uint_eq(fill(&store), LEAST);
	ck_assert_uint_eq(charged(), 0);
	ck_assert(!store_has_room(&store));
	store_empty(&store);
}
END_TEST

START_TEST(test_store_quota_had_again_lets_it_grow)
{
	struct store store = new_store();

	host.users.limits[USER_STORED] = 0;
	fill(&store);
	host.users.limits[USER_STORED] = 2 * CAPACITY;
	ck_assert_uint_eq(fill(&store), CAPACITY - LEAST);
	ck_assert_uint_gt(charged(), CAPACITY - LEAST);
	store_empty(&store);
	ck_assert_uint_eq(charged(), 0);
}
END_TEST

/* The quota runs out before the store's capacity does, and poll must not report room then. */
START_TEST(test_store_quota_ends_half_way)
{
	struct store store = new_store();
	size_t n;

	host.users.limits[USER_STORED] = 64 * KIB;
	n = fill(&store);
	ck_assert_uint_eq(charged(), 64 * KIB);
	ck_assert_uint_gt(n, 60 * KIB);
	ck_assert_uint_le(n, 64 * KIB);
	ck_assert(!store_has_room(&store));
	store_empty(&store);
}
END_TEST

START_TEST(test_store_quota_of_one_user_leaves_others_theirs)
{
	struct store first = new_store(), second;

	host.users.limits[USER_STORED] = 2 * CAPACITY;
	store_init(&second, &host.users, STRANGER);
	ck_assert_uint_eq(fill(&first), CAPACITY);
	ck_assert_uint_eq(fill(&second), CAPACITY);
	store_empty(&first);
	store_empty(&second);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* AddressSanitizer has an allocator of its own */
/* A store without quota has no more than four pieces, however it is drained and filled. */
START_TEST(test_store_quota_used_up_takes_no_more_memory_in_time)
{
	struct store store = new_store();
	size_t before;
	char data[LEAST];

	host.users.limits[USER_STORED] = 0;
	before = mallinfo2().uordblks;
	for (int i = 0; i < 1000; i++) {
		fill(&store);
		must(store_take(&store, data, 1 + (size_t)i % 2 * 37 * (size_t)i % LEAST));
		ck_assert_uint_le(store.bytes, LEAST);
		ck_assert_uint_le(mallinfo2().uordblks, before + 18 * KIB);
	}
	store_empty(&store);
}
END_TEST
#endif

int main(void)
{
	Suite *suite = suite_create("store_quota");

	suite_add(suite, "quota",
		  (const TTest *const[]){
			  test_store_quota_used_up_leaves_the_least,
			  test_store_quota_had_again_lets_it_grow,
			  test_store_quota_ends_half_way,
			  test_store_quota_of_one_user_leaves_others_theirs,
#ifndef __SANITIZE_ADDRESS__
			  test_store_quota_used_up_takes_no_more_memory_in_time,
#endif
			  NULL,
		  });
	return suite_run(suite);
}
