/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/base/number.h"

#include "tests/unit/fixture.h"

static const struct {
	const char *text;
	uint64_t max;
	int result;
	uint64_t number;
} cases[] = {
	{"0", 9, 0, 0},
	{"7\n", 9, 0, 7},
	{" \t 12 \r\n", 99, 0, 12},
	{"007", 9, 0, 7},
	{"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
	{"18446744073709551616", UINT64_MAX, -ERANGE, 0},
	{"99999999999999999999999", UINT64_MAX, -ERANGE, 0},
	{"10", 9, -ERANGE, 0},
	{"9", 5, -ERANGE, 0},
	{"", 9, -EINVAL, 0},
	{"\n", 9, -EINVAL, 0},
	{"-1", 9, -EINVAL, 0},
	{"+1", 9, -EINVAL, 0},
	{"1.5", 9, -EINVAL, 0},
	{"0x1", 9, -EINVAL, 0},
	{"1 2", 99, -EINVAL, 0},
	{"1a", 99, -EINVAL, 0},
};
enum { N_CASES = sizeof(cases) / sizeof(cases[0]) };

START_TEST(test_number_parse_gives_number_or_error)
{
	uint64_t number = 0;

	ck_assert_int_eq(
		number_parse(cases[_i].text, strlen(cases[_i].text), cases[_i].max, &number),
		cases[_i].result);
	ck_assert_uint_eq(number, cases[_i].number);
}
END_TEST

START_TEST(test_number_parse_stops_at_its_size)
{
	uint64_t number;

	must(number_parse("123", 2, 99, &number));
	ck_assert_uint_eq(number, 12);
	must_fail(number_parse("1\0002", 3, 99, &number), EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("number");

	suite_add_loop(suite, "parse",
		       (const TTest *const[]){test_number_parse_gives_number_or_error, NULL},
		       N_CASES);
	suite_add(suite, "size", (const TTest *const[]){test_number_parse_stops_at_its_size, NULL});
	return suite_run(suite);
}
