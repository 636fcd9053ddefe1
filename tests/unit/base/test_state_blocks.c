/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks in the state: none overlaps another, in this process or in the next, and their memory goes
 * back.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/state.h"
#include "tests/unit/fixture.h"

enum { MANY = 2000, MIB = 1 << 20 };

struct block {
	uint8_t *start;
	uint64_t offset;
	size_t size;
	uint8_t fill;
};

static struct state *state;
static struct block blocks[MANY];
static bool is_full;    /* the kernel has no memory */
static int n_fallocate; /* calls */

/* Stands before the C library's. */
int fallocate(int fd, int mode, off_t offset, off_t length)
{
	n_fallocate++;
	if (is_full && mode == 0) {
		errno = ENOSPC;
		return -1;
	}
	return (int)syscall(SYS_fallocate, fd, mode, offset, length);
}

static void setup_private(void)
{
	must(state_new(false, &state));
}

static void setup_shared(void)
{
	must(state_new(true, &state));
}

static void teardown(void)
{
	state_free(state);
}

/* As if this process had ended, and another one had begun. */
static void restart(void)
{
	struct state *next;

	must(state_restart(state, &next));
	state_free(state);
	state = next;
}

static long kib(void)
{
	struct stat st;

	must_call(fstat(state_fd(state), &st));
	return st.st_blocks / 2;
}

static bool try_make(struct block *block, size_t size)
{
	uint8_t *start = state_alloc(state, size);

	if (!start)
		return false;
	*block = (struct block){start, state_offset(state, start), size, (uint8_t)rand()};
	memset(start, block->fill, size);
	return true;
}

static void make(struct block *block, size_t size)
{
	ck_assert(try_make(block, size));
}

static void check(const struct block *block)
{
	if (block->size == 0)
		return;
	ck_assert_int_eq(block->start[0], block->fill);
	ck_assert_int_eq(memcmp(block->start, block->start + 1, block->size - 1), 0);
}

static void drop(struct block *block)
{
	if (!block->start)
		return;
	check(block);
	state_release(state, block->start, block->size);
	*block = (struct block){0};
}

static void claim(struct block *block)
{
	if (!block->start)
		return;
	block->start = state_claim(state, block->offset, block->size);
	ck_assert_ptr_nonnull(block->start);
}

/* Mostly small, but of all orders. */
static size_t random_size(void)
{
	size_t order = (size_t)1 << rand() % (rand() % 16 == 0 ? 22 : 13);

	return order + (size_t)rand() % order - (rand() % 4 == 0);
}

START_TEST(test_blocks_are_aligned)
{
	for (size_t size = 0; size < 20000; size = size * 9 / 8 + 1) {
		uintptr_t address = (uintptr_t)state_alloc(state, size);

		ck_assert_uint_ne(address, 0);
		ck_assert_uint_eq(address % _Alignof(max_align_t), 0);
		ck_assert(size < 4096 || address % 4096 == 0);
	}
}
END_TEST

START_TEST(test_blocks_null_has_no_offset)
{
	ck_assert_uint_eq(state_offset(state, NULL), 0);
	state_release(state, NULL, 100);
}
END_TEST

START_TEST(test_blocks_too_large_are_refused)
{
	ck_assert_ptr_null(state_alloc(state, SIZE_MAX));
	ck_assert_ptr_null(state_alloc(state, (size_t)64 << 30));
	make(&blocks[0], 100);
}
END_TEST

START_TEST(test_blocks_never_overlap)
{
	for (int i = 0; i < 50 * MANY; i++) {
		struct block *block = &blocks[rand() % MANY];

		if (block->start)
			drop(block);
		else
			make(block, random_size());
	}
	for (int i = 0; i < MANY; i++)
		drop(&blocks[i]);
}
END_TEST

START_TEST(test_blocks_are_the_next_process_s)
{
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 2 * MANY; i++) {
			struct block *block = &blocks[rand() % MANY];

			if (block->start)
				drop(block);
			else
				make(block, random_size());
		}
		restart();
		for (int i = MANY; i-- > 0;)
			claim(&blocks[i]);
		state_settle(state);
		for (int i = 0; i < MANY; i++)
			check(&blocks[i]);
	}
	for (int i = 0; i < MANY; i++)
		drop(&blocks[i]);
}
END_TEST

START_TEST(test_blocks_before_settle_are_refused)
{
	restart();
	ck_assert_ptr_null(state_alloc(state, 1));
	ck_assert_ptr_null(state_alloc(state, MIB));
	state_settle(state);
	make(&blocks[0], 1);
	make(&blocks[1], MIB);
}
END_TEST

START_TEST(test_blocks_claimed_can_be_freed_before_settle)
{
	static const size_t sizes[] = {1, 100, 5000, MIB + 1};

	for (int i = 0; i < 4; i++)
		make(&blocks[i], sizes[i]);
	restart();
	for (int i = 0; i < 4; i++) {
		claim(&blocks[i]);
		state_release(state, blocks[i].start, sizes[i]);
		claim(&blocks[i]);
	}
	for (int i = 1; i < 4; i++)
		drop(&blocks[i]);
	state_settle(state);
	for (int i = 1; i < 4; i++)
		make(&blocks[i], sizes[i]);
	for (int i = 0; i < 4; i++)
		drop(&blocks[i]);
}
END_TEST

START_TEST(test_claim_that_overlaps_is_refused)
{
	uint64_t page;

	make(&blocks[0], 8192);
	make(&blocks[1], 100);
	restart();
	claim(&blocks[0]);
	claim(&blocks[1]);
	for (page = blocks[0].offset; page < blocks[0].offset + 8192; page += 4096) {
		ck_assert_ptr_null(state_claim(state, page, 1));
		ck_assert_ptr_null(state_claim(state, page, MIB));
	}
	ck_assert_ptr_null(state_claim(state, blocks[0].offset - 4096, 4097));
	page = blocks[1].offset / 4096 * 4096;
	ck_assert_ptr_null(state_claim(state, blocks[1].offset, 100));
	ck_assert_ptr_null(state_claim(state, page, 4096));
	ck_assert_ptr_null(state_claim(state, page, 32)); /* of another class */
	ck_assert_ptr_nonnull(state_claim(state, page + 224, 99));
	state_settle(state);
	drop(&blocks[0]);
	drop(&blocks[1]);
}
END_TEST

START_TEST(test_claim_of_no_block_is_refused)
{
	make(&blocks[0], 8192);
	restart();
	ck_assert_ptr_null(state_claim(state, 0, 1));
	ck_assert_ptr_null(state_claim(state, 4096, 1));
	ck_assert_ptr_null(state_claim(state, UINT64_MAX, 1));
	ck_assert_ptr_null(state_claim(state, UINT64_MAX - 4095, 4096));
	ck_assert_ptr_null(state_claim(state, (uint64_t)64 << 30, 1));
	ck_assert_ptr_null(state_claim(state, blocks[0].offset, SIZE_MAX));
	ck_assert_ptr_null(state_claim(state, blocks[0].offset, (size_t)16 << 30));
	ck_assert_ptr_null(state_claim(state, blocks[0].offset + 1, 8192));
	ck_assert_ptr_null(state_claim(state, blocks[0].offset + 16, 1));
	ck_assert_ptr_null(state_claim(state, blocks[0].offset + 4080, 100));
	claim(&blocks[0]);
	state_settle(state);
	ck_assert_ptr_null(state_claim(state, blocks[0].offset + 8192, 1));
}
END_TEST

/* Offsets and sizes that never were: what can be claimed can be used, and nothing else. */
START_TEST(test_claim_of_anything_is_harmless)
{
	make(&blocks[0], MIB);
	for (int round = 0; round < 20; round++) {
		uint64_t first = blocks[0].offset;

		restart();
		memset(blocks, 0, sizeof(blocks));
		blocks[0].offset = first;
		for (int i = 1; i < MANY; i++) {
			size_t size = random_size();
			uint64_t offset = first + (uint64_t)rand() % MIB / 16 * 16;
			uint8_t *start =
				state_claim(state, rand() % 2 ? offset : offset & ~4095ul, size);

			if (!start)
				continue;
			blocks[i] = (struct block){start, 0, size, (uint8_t)i};
			memset(start, i, size);
		}
		state_settle(state);
		for (int i = 1; i < MANY; i++)
			drop(&blocks[i]);
	}
}
END_TEST

START_TEST(test_blocks_used_before_cost_no_call)
{
	for (int round = 0; round < 100; round++) {
		int before = n_fallocate;

		for (int i = 0; i < 500; i++)
			make(&blocks[i], (size_t)1 + (size_t)i * 7);
		for (int i = 0; i < 500; i++)
			drop(&blocks[i]);
		ck_assert(round == 0 || n_fallocate == before);
	}
}
END_TEST

START_TEST(test_blocks_freed_give_their_memory_back)
{
	long before = kib();

	for (int i = 0; i < 10; i++)
		make(&blocks[i], 3 * MIB + 1);
	ck_assert_int_ge(kib() - before, 30 * 1024);
	ck_assert_int_le(kib() - before, 31 * 1024);
	for (int i = 0; i < 10; i++)
		drop(&blocks[i]);
	ck_assert_int_le(kib() - before, 1024);
	for (int i = 0; i < MANY; i++)
		make(&blocks[i], 20000);
	for (int i = 0; i < MANY; i++)
		drop(&blocks[i]);
	ck_assert_int_le(kib() - before, 3 * 1024);
}
END_TEST

START_TEST(test_blocks_nobody_claims_give_their_memory_back)
{
	long before = kib();

	for (int i = 0; i < 1000; i++)
		make(&blocks[i], random_size());
	make(&blocks[0], 10 * MIB);
	make(&blocks[1], 100);
	restart();
	claim(&blocks[1]);
	state_settle(state);
	ck_assert_int_le(kib() - before, 4);
	check(&blocks[1]);
}
END_TEST

START_TEST(test_blocks_without_memory_are_refused)
{
	int n = 0;

	make(&blocks[n++], 100);
	is_full = true;
	ck_assert_ptr_null(state_alloc(state, 10 * MIB));
	for (; n < MANY && try_make(&blocks[n], 4000); n++)
		;
	ck_assert_int_lt(n, 1000);
	is_full = false;
	make(&blocks[n++], 10 * MIB);
	for (int i = 0; i < n; i++)
		drop(&blocks[i]);
}
END_TEST

START_TEST(test_tables_without_memory_enomem)
{
	must(state_table_reserve(state, STATE_FILES, 100));
	is_full = true;
	must_fail(state_table_reserve(state, STATE_FILES, MIB), ENOMEM);
	must(state_table_reserve(state, STATE_FILES, 100));
	is_full = false;
	must(state_table_reserve(state, STATE_FILES, MIB));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_blocks_are_aligned,
		test_blocks_null_has_no_offset,
		test_blocks_too_large_are_refused,
		test_blocks_never_overlap,
		test_blocks_are_the_next_process_s,
		test_blocks_before_settle_are_refused,
		test_blocks_claimed_can_be_freed_before_settle,
		test_claim_that_overlaps_is_refused,
		test_claim_of_no_block_is_refused,
		test_claim_of_anything_is_harmless,
		test_blocks_used_before_cost_no_call,
		NULL,
	};
	const TTest *const shared[] = {
		test_blocks_freed_give_their_memory_back,
		test_blocks_nobody_claims_give_their_memory_back,
		test_blocks_without_memory_are_refused,
		test_tables_without_memory_enomem,
		NULL,
	};
	Suite *suite = suite_create("state_blocks");

	tcase_add_checked_fixture(suite_add(suite, "private", tests), setup_private, teardown);
	tcase_add_checked_fixture(suite_add(suite, "shared", tests), setup_shared, teardown);
	tcase_add_checked_fixture(suite_add(suite, "memory", shared), setup_shared, teardown);
	return suite_run(suite);
}
