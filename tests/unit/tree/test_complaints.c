// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What each user is told by reading ctl.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/tree/complaints.h"
#include "tests/unit/fixture.h"

enum { ANNA = 1001, BERT, MANY = 200 };

static void expect(const struct complaints *complaints, uid_t uid, const char *text)
{
	CLEANUP_FREE char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	complaints_print(complaints, uid, out);
	fclose(out);
	ck_assert_str_eq(printed, text);
}

START_TEST(test_complaints_each_user_has_an_error_and_a_report)
{
	struct complaints complaints = {0};

	complaints_keep_report(&complaints, ANNA, "reap shm: 0 removed\n");
	complaints_keep(&complaints, ANNA, 3, "x\ny: no such kind");
	expect(&complaints, ANNA,
	       "# Your last report:\nreap shm: 0 removed\n"
	       "# Your last error:\nline 3: x\\x0ay: no such kind\n");
	expect(&complaints, BERT, "");
	complaints_keep_report(&complaints, ANNA, "reap shm: 1 removed\n");
	complaints_forget(&complaints, ANNA);
	complaints_forget(&complaints, BERT);
	expect(&complaints, ANNA, "# Your last report:\nreap shm: 1 removed\n");
	complaints_keep(&complaints, BERT, 1, "x");
	complaints_forget(&complaints, BERT);
	expect(&complaints, BERT, "");
	complaints_forget_all(&complaints);
	expect(&complaints, ANNA, "");
}
END_TEST

START_TEST(test_complaints_of_too_many_users_the_oldest_go)
{
	struct complaints complaints = {0};

	for (uid_t uid = 0; uid < MANY; uid++)
		complaints_keep_report(&complaints, uid, "done\n");
	expect(&complaints, 0, "");
	expect(&complaints, MANY - 1, "# Your last report:\ndone\n");
	complaints_forget_all(&complaints);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("complaints");

	suite_add(suite, "complaints",
		  (const TTest *const[]){
			  test_complaints_each_user_has_an_error_and_a_report,
			  test_complaints_of_too_many_users_the_oldest_go,
			  NULL,
		  });
	return suite_run(suite);
}
