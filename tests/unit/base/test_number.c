/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers as text: a single number, and lines of numbers, which are added up.
 */
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

static const struct {
	const char *text;
	int result;
	int64_t seconds;
} durations[] = {
	{"0", 0, 0},
	{"90", 0, 90},
	{"90s", 0, 90},
	{"10m", 0, 600},
	{"1h", 0, 3600},
	{"7d", 0, 604800},
	{"36500d", 0, NUMBER_DURATION_MAX},
	{"36501d", -ERANGE, 0},
	{"3153600001", -ERANGE, 0},
	{"99999999999999999999", -ERANGE, 0},
	{"", -EINVAL, 0},
	{"s", -EINVAL, 0},
	{"-1", -EINVAL, 0},
	{"1 m", -EINVAL, 0},
	{"1M", -EINVAL, 0},
	{"1ms", -EINVAL, 0},
	{"1h30m", -EINVAL, 0},
	{"1.5h", -EINVAL, 0},
};
enum { N_DURATIONS = sizeof(durations) / sizeof(durations[0]) };

START_TEST(test_number_parse_duration_gives_seconds_or_error)
{
	int64_t seconds = 0;

	ck_assert_int_eq(number_parse_duration(durations[_i].text, &seconds), durations[_i].result);
	ck_assert_int_eq(seconds, durations[_i].seconds);
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

static const struct {
	const char *text;
	uint64_t max;
	int result;
	uint64_t sum;
} sums[] = {
	{"7", 9, 1, 7},
	{"7\n", 9, 1, 7},
	{"1\n2\n3\n", 9, 3, 6},
	{"1\n2\n3", 9, 3, 6},
	{"\n", 9, 0, 0},
	{"", 9, 0, 0},
	{" \r\n\n\t", 9, 0, 0},
	{"\n 5 \r\n\n4\n", 9, 2, 9},
	{"0\n0\n", 9, 2, 0},
	{"5\n5\n", 9, -ERANGE, 0},
	{"18446744073709551615\n1\n", UINT64_MAX, -ERANGE, 0},
	{"1 2\n", 9, -EINVAL, 0},
	{"1\nx\n", 9, -EINVAL, 0},
	{"1\n-1\n", 9, -EINVAL, 0},
};
enum { N_SUMS = sizeof(sums) / sizeof(sums[0]) };

START_TEST(test_number_lines_are_added)
{
	uint64_t sum = 0;

	ck_assert_int_eq(
		number_parse_lines(sums[_i].text, strlen(sums[_i].text), sums[_i].max, &sum),
		sums[_i].result);
	ck_assert_uint_eq(sum, sums[_i].sum);
}
END_TEST

START_TEST(test_number_lines_that_are_cut_einval)
{
	static char text[NUMBERS_TEXT_MAX + 2];
	uint64_t sum;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '\n' : '1';
	ck_assert_int_eq(number_parse_lines(text, 4096, 10000, &sum), 2048);
	ck_assert_int_eq(number_parse_lines(text, NUMBERS_TEXT_MAX, 40000, &sum), 32768);
	ck_assert_int_eq(number_parse_lines(text, 4095, 10000, &sum), 2048);
	text[4095] = '1';
	must_fail(number_parse_lines(text, 4096, 10000, &sum), EINVAL);
	must_fail(number_parse_lines(text, sizeof(text), 40000, &sum), EMSGSIZE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("number");

	suite_add_loop(suite, "parse",
		       (const TTest *const[]){test_number_parse_gives_number_or_error, NULL},
		       N_CASES);
	suite_add_loop(
		suite, "durations",
		(const TTest *const[]){test_number_parse_duration_gives_seconds_or_error, NULL},
		N_DURATIONS);
	suite_add_loop(suite, "lines", (const TTest *const[]){test_number_lines_are_added, NULL},
		       N_SUMS);
	suite_add(suite, "cut",
		  (const TTest *const[]){test_number_lines_that_are_cut_einval, NULL});
	suite_add(suite, "size", (const TTest *const[]){test_number_parse_stops_at_its_size, NULL});
	return suite_run(suite);
}
