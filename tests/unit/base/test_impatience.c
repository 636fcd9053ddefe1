/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between impatience_begin() and impatience_end() every sleep is interrupted.
 */
#include "lib/base/impatience.h"

#include "tests/unit/fixture.h"

#include <poll.h>

START_TEST(test_impatience_every_sleep_is_interrupted)
{
	for (int i = 0; i < 3; i++) {
		must(impatience_begin());
		for (int j = 0; j < 3; j++) {
			ck_assert_int_eq(poll(NULL, 0, 20000), -1);
			ck_assert_int_eq(errno, EINTR);
		}
		impatience_end();
	}
}
END_TEST

START_TEST(test_impatience_ended_nothing_is_interrupted)
{
	must(impatience_begin());
	impatience_end();
	ck_assert_int_eq(poll(NULL, 0, 20), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("impatience");

	suite_add(suite, "sleeps",
		  (const TTest *const[]){test_impatience_every_sleep_is_interrupted,
					 test_impatience_ended_nothing_is_interrupted, NULL});
	return suite_run(suite);
}
