/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that outlives a process: what is made in it is found again, and what is no such memory is
 * refused.
 */
#include "lib/base/state.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/base/slots.h"
#include "tests/unit/fixture.h"

static struct state *state;

static void state_setup_private(void)
{
	must(state_new(false, &state));
}

static void state_setup_shared(void)
{
	must(state_new(true, &state));
}

static void state_teardown(void)
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

START_TEST(test_state_areas_are_found_again)
{
	char *area = state_area(state, STATE_JOURNAL);

	ck_assert_int_eq(area[0], 0);
	ck_assert_int_eq(area[STATE_AREA_SIZE - 1], 0);
	memset(area, 7, STATE_AREA_SIZE);
	restart();
	area = state_area(state, STATE_JOURNAL);
	ck_assert_int_eq(area[0], 7);
	ck_assert_int_eq(area[STATE_AREA_SIZE - 1], 7);
	ck_assert_int_eq(*(char *)state_area(state, STATE_SESSION), 0);
}
END_TEST

START_TEST(test_state_tables_are_found_again)
{
	size_t size;
	char *table = state_table(state, STATE_FILES, &size);

	ck_assert_uint_ge(size, 1 << 20);
	must(state_table_reserve(state, STATE_FILES, 100000));
	ck_assert_int_eq(table[99999], 0);
	table[99999] = 1;
	*state_table_used(state, STATE_FILES) = 3;
	restart();
	table = state_table(state, STATE_FILES, &size);
	ck_assert_int_eq(table[99999], 1);
	ck_assert_uint_eq(*state_table_used(state, STATE_FILES), 3);
}
END_TEST

START_TEST(test_state_blocks_are_found_again)
{
	char *block = state_alloc(state, 100);
	uint64_t offset = state_offset(state, block);

	memset(block, 5, 100);
	restart();
	ck_assert_ptr_null(state_alloc(state, 100));
	block = state_claim(state, offset, 100);
	ck_assert_ptr_nonnull(block);
	ck_assert_ptr_null(state_claim(state, offset, 100));
	state_settle(state);
	ck_assert_int_eq(block[99], 5);
	ck_assert_ptr_nonnull(state_alloc(state, 100));
	state_release(state, block, 100);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_state_areas_are_found_again,
		test_state_tables_are_found_again,
		test_state_blocks_are_found_again,
		NULL,
	};
	Suite *suite = suite_create("state");

	tcase_add_checked_fixture(suite_add(suite, "private", tests), state_setup_private,
				  state_teardown);
	tcase_add_checked_fixture(suite_add(suite, "shared", tests), state_setup_shared,
				  state_teardown);
	return suite_run(suite);
}
