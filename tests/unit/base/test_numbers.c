// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Numbers that are taken and given back. A number that was given back is taken again only after all
 * others.
 */
#include "lib/base/numbers.h"
#include "tests/unit/fixture.h"

START_TEST(test_numbers_begin_with_one_and_go_on)
{
	struct numbers numbers = {0};

	for (uint64_t i = 1; i < 5000; i++)
		ck_assert_uint_eq(numbers_take(&numbers), i);
	numbers_fini(&numbers);
}
END_TEST

START_TEST(test_numbers_given_back_come_again_after_all_others)
{
	struct numbers numbers = {0};

	for (uint64_t i = 1; i < NUMBERS_MOST; i++)
		ck_assert_uint_eq(numbers_take(&numbers), i);
	numbers_give(&numbers, 70);
	numbers_give(&numbers, 3);
	ck_assert_uint_eq(numbers_take(&numbers), 3);
	numbers_give(&numbers, 3);
	ck_assert_uint_eq(numbers_take(&numbers), 70);
	ck_assert_uint_eq(numbers_take(&numbers), 3);
	numbers_fini(&numbers);
}
END_TEST

START_TEST(test_numbers_beyond_all_are_those_that_never_come_again)
{
	struct numbers numbers = {0};

	for (uint64_t i = 1; i < NUMBERS_MOST; i++)
		numbers_take(&numbers);
	ck_assert_uint_eq(numbers_take(&numbers), NUMBERS_MOST);
	numbers_give(&numbers, NUMBERS_MOST);
	ck_assert_uint_eq(numbers_take(&numbers), NUMBERS_MOST + 1);
	numbers_give(&numbers, 12345);
	ck_assert_uint_eq(numbers_take(&numbers), 12345);
	numbers_fini(&numbers);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("numbers");

	suite_add(suite, "numbers",
		  (const TTest *const[]){
			  test_numbers_begin_with_one_and_go_on,
			  test_numbers_given_back_come_again_after_all_others,
			  test_numbers_beyond_all_are_those_that_never_come_again,
			  NULL,
		  });
	return suite_run(suite);
}
