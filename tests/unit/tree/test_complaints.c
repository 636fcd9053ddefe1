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

static void expect(uid_t uid, const char *text)
{
	CLEANUP_FREE char *printed = NULL;
	size_t size;
	FILE *out = open_memstream(&printed, &size);

	complaints_print(&host, uid, out);
	fclose(out);
	ck_assert_str_eq(printed, text);
}

START_TEST(test_complaints_each_user_has_an_error_and_a_report)
{
	complaints_keep_report(&host, ANNA, "reap shm: 0 removed\n");
	complaints_keep(&host, ANNA, 3, "x\ny: no such kind");
	expect(ANNA, "# Your last report:\nreap shm: 0 removed\n"
		     "# Your last error:\nline 3: x\\x0ay: no such kind\n");
	expect(BERT, "");
	complaints_keep_report(&host, ANNA, "reap shm: 1 removed\n");
	complaints_forget(&host, ANNA);
	complaints_forget(&host, BERT);
	expect(ANNA, "# Your last report:\nreap shm: 1 removed\n");
	complaints_keep(&host, BERT, 1, "x");
	complaints_forget(&host, BERT);
	expect(BERT, "");
	complaints_forget_all(&host);
	expect(ANNA, "");
}
END_TEST

START_TEST(test_complaints_of_too_many_users_the_oldest_go)
{
	for (uid_t uid = 0; uid < MANY; uid++)
		complaints_keep_report(&host, uid, "done\n");
	expect(0, "");
	expect(MANY - 1, "# Your last report:\ndone\n");
	complaints_forget_all(&host);
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
