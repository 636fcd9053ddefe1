/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a store still accepts from a user who has used up USER_STORED, or has little of it left.
 */
#include <stdlib.h>

#include "lib/kinds/pipe/store.h"
#include "tests/unit/fixture.h"

enum { KIB = 1024, LEAST = 8 * KIB, CAPACITY = 1024 * KIB };

static const char zeroes[4 * KIB];

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
	struct store_record second_record = {0};
	struct store first = new_store(), second;

	host.users.limits[USER_STORED] = 2 * CAPACITY;
	store_init(&second, &host, STRANGER, &second_record);
	ck_assert_uint_eq(fill(&first), CAPACITY);
	ck_assert_uint_eq(fill(&second), CAPACITY);
	store_empty(&first);
	store_empty(&second);
}
END_TEST

static unsigned count_pieces(const struct store *store)
{
	unsigned n = 0;

	for (uint64_t piece = store->record->first; piece; n++)
		piece = *(uint64_t *)state_block(host.state, piece, sizeof(piece));
	return n;
}

/* A store without quota has no more than four pieces, however it is drained and filled. */
START_TEST(test_store_quota_used_up_takes_no_more_memory_in_time)
{
	struct store store = new_store();
	char data[LEAST];

	host.users.limits[USER_STORED] = 0;
	for (int i = 0; i < 1000; i++) {
		fill(&store);
		must(take_some(&store, data, 1 + (size_t)i % 2 * 37 * (size_t)i % LEAST));
		ck_assert_uint_le(store_bytes(&store), LEAST);
		ck_assert_uint_le(count_pieces(&store), 4);
	}
	store_empty(&store);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store_quota");

	suite_add(suite, "quota",
		  (const TTest *const[]){
			  test_store_quota_used_up_leaves_the_least,
			  test_store_quota_had_again_lets_it_grow,
			  test_store_quota_ends_half_way,
			  test_store_quota_of_one_user_leaves_others_theirs,
			  test_store_quota_used_up_takes_no_more_memory_in_time,
			  NULL,
		  });
	return suite_run(suite);
}
