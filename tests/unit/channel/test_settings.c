/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of parameters as users write them.
 */

#include "lib/channel/settings.h"
#include "tests/unit/fixture.h"

static const char *const words[] = {"auto", "never", NULL};

static const struct parameter size = {"size", PARAMETER_SIZE, .min = 1, .max = UINT64_MAX};
static const struct parameter small = {"small", PARAMETER_SIZE, .min = 10, .max = 2048};
static const struct parameter number = {"number", PARAMETER_NUMBER, .max = UINT64_MAX};
static const struct parameter word = {"word", PARAMETER_WORD, .words = words};

static uint64_t parse(const struct parameter *parameter, const char *text)
{
	uint64_t value = 0xdead;

	must(parameter_parse(parameter, text, &value));
	return value;
}

static int refuse(const struct parameter *parameter, const char *text)
{
	uint64_t value = 0xdead;
	int r = parameter_parse(parameter, text, &value);

	ck_assert_uint_eq(value, 0xdead); /* written on success only */
	return r;
}

START_TEST(test_settings_size_takes_units)
{
	ck_assert_uint_eq(parse(&size, "1"), 1);
	ck_assert_uint_eq(parse(&size, "4096"), 4096);
	ck_assert_uint_eq(parse(&size, "3K"), 3072);
	ck_assert_uint_eq(parse(&size, "2M"), 2097152);
	ck_assert_uint_eq(parse(&size, "1G"), 1073741824);
}
END_TEST

START_TEST(test_settings_size_takes_hexadecimal)
{
	ck_assert_uint_eq(parse(&size, "0x10"), 16);
}
END_TEST

START_TEST(test_settings_size_that_is_none_einval)
{
	static const char *const texts[] = {"",   "K",   "x",   "-1", "+1",  " 1", "1 ",
					    "1k", "1KK", "1KB", "1T", "1.5", "1e3"};

	for (int i = 0; i < 13; i++)
		must_fail(refuse(&size, texts[i]), EINVAL);
}
END_TEST

START_TEST(test_settings_size_that_overflows_erange)
{
	must_fail(refuse(&size, "18446744073709551616"), ERANGE);
	must_fail(refuse(&size, "18014398509481985K"), ERANGE);
	must_fail(refuse(&size, "17179869185G"), ERANGE);
	ck_assert_uint_eq(parse(&size, "18446744073709551615"), UINT64_MAX);
}
END_TEST

START_TEST(test_settings_size_out_of_bounds_erange)
{
	must_fail(refuse(&small, "9"), ERANGE);
	must_fail(refuse(&small, "2049"), ERANGE);
	must_fail(refuse(&small, "3K"), ERANGE);
	ck_assert_uint_eq(parse(&small, "10"), 10);
	ck_assert_uint_eq(parse(&small, "2K"), 2048);
}
END_TEST

START_TEST(test_settings_number_takes_no_units)
{
	ck_assert_uint_eq(parse(&number, "0"), 0);
	ck_assert_uint_eq(parse(&number, "100"), 100);
	must_fail(refuse(&number, "1K"), EINVAL);
	must_fail(refuse(&number, "ten"), EINVAL);
}
END_TEST

START_TEST(test_settings_word_is_its_index)
{
	ck_assert_uint_eq(parse(&word, "auto"), 0);
	ck_assert_uint_eq(parse(&word, "never"), 1);
}
END_TEST

START_TEST(test_settings_word_that_is_none_einval)
{
	must_fail(refuse(&word, ""), EINVAL);
	must_fail(refuse(&word, "aut"), EINVAL);
	must_fail(refuse(&word, "autos"), EINVAL);
	must_fail(refuse(&word, "AUTO"), EINVAL);
	must_fail(refuse(&word, "0"), EINVAL);
}
END_TEST

START_TEST(test_settings_has_what_is_given)
{
	const struct settings settings = {.given = 1 << 2};

	ck_assert(settings_has(&settings, 2));
	ck_assert(!settings_has(&settings, 1));
	ck_assert(!settings_has(NULL, 2));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("settings");

	suite_add(suite, "parse",
		  (const TTest *const[]){
			  test_settings_size_takes_units,
			  test_settings_size_takes_hexadecimal,
			  test_settings_size_that_is_none_einval,
			  test_settings_size_that_overflows_erange,
			  test_settings_size_out_of_bounds_erange,
			  test_settings_number_takes_no_units,
			  test_settings_word_is_its_index,
			  test_settings_word_that_is_none_einval,
			  test_settings_has_what_is_given,
			  NULL,
		  });
	return suite_run(suite);
}
