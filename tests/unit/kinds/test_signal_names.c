/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which words are signals, and how signals are written.
 */
#include <signal.h>
#include <string.h>

#include "lib/kinds/signal/signal_names.h"
#include "tests/unit/fixture.h"

static int number(const char *text)
{
	return signal_number(text, strlen(text));
}

START_TEST(test_signal_names_are_read_as_kill_reads_them)
{
	static const char *const texts[] = {"TERM", "SIGTERM", "term", "sigterm", "SigTerm", "15"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ck_assert_msg(number(texts[i]) == SIGTERM, "%s", texts[i]);
	ck_assert_int_eq(number("0"), 0);
	ck_assert_int_eq(number("64"), 64);
	ck_assert_int_eq(number("CLD"), SIGCHLD);
	ck_assert_int_eq(number("IOT"), SIGABRT);
	ck_assert_int_eq(number("IO"), SIGPOLL);
}
END_TEST

START_TEST(test_signal_names_real_time_ones_are_counted_from_both_ends)
{
	ck_assert_int_eq(number("RTMIN"), SIGRTMIN);
	ck_assert_int_eq(number("SIGRTMIN+3"), SIGRTMIN + 3);
	ck_assert_int_eq(number("rtmax-30"), SIGRTMIN);
	ck_assert_int_eq(number("RTMAX"), SIGRTMAX);
	ck_assert_int_eq(number("RTMIN+30"), SIGRTMAX);
}
END_TEST

START_TEST(test_signal_names_nothing_else_is_one)
{
	static const char *const texts[] = {
		"",         "SIG",      "FOO",     "TERMX",    "TER",       "65",
		"-1",       "+1",       "1x",      "RTMIN+",   "RTMIN-1",   "RTMAX+1",
		"RTMIN+31", "RTMAX-31", "RTMIN+x", "RTMIN++1", "RTMIN1",    "SIG15",
		"T\nERM",   " TERM",    "0x0f",    "\xff\xfe", "SIGSIGTERM"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		ck_assert_msg(number(texts[i]) == -EINVAL, "'%s': %d", texts[i], number(texts[i]));
	ck_assert_int_eq(signal_number("TERM", 2), -EINVAL);
	ck_assert_int_eq(signal_number("15 ", 3), -EINVAL);
	ck_assert_int_eq(signal_number("TERM\0", 5), -EINVAL);
}
END_TEST

START_TEST(test_signal_names_written_are_read_back)
{
	char name[SIGNAL_NAME];

	for (int i = 1; i <= SIGNAL_MAX; i++)
		ck_assert_int_eq(number(signal_name(i, name)), i);
	ck_assert_str_eq(signal_name(SIGABRT, name), "ABRT");
	ck_assert_str_eq(signal_name(SIGRTMIN + 15, name), "RTMIN+15");
	ck_assert_str_eq(signal_name(SIGRTMAX - 1, name), "RTMAX-1");
}
END_TEST

START_TEST(test_signal_names_list)
{
	char list[SIGNAL_LIST];

	ck_assert_str_eq(signal_list(0, list), "none");
	ck_assert_str_eq(signal_list(1U << (SIGHUP - 1) | 1U << (SIGTERM - 1), list), "HUP,TERM");
	ck_assert_uint_lt(strlen(signal_list(UINT64_MAX, list)), sizeof(list));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("signal_names");

	suite_add(suite, "names",
		  (const TTest *const[]){
			  test_signal_names_are_read_as_kill_reads_them,
			  test_signal_names_real_time_ones_are_counted_from_both_ends,
			  test_signal_names_nothing_else_is_one,
			  test_signal_names_written_are_read_back,
			  test_signal_names_list,
			  NULL,
		  });
	return suite_run(suite);
}
