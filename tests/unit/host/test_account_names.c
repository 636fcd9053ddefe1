/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of ids: those of the local files are found, and the rest are left as numbers. What happens
 * with a name service that hangs is in tests/shell/accounts_names.bats.
 */
#include <stdlib.h>

#include "lib/host/account_names.h"
#include "tests/unit/fixture.h"

/* An id that no machine gives a name to: (uid_t)-2. */
#define UNNAMED 4294967294U

START_TEST(test_account_names_finds_both_sorts)
{
	struct account_names *names = calloc(1, sizeof(*names));

	account_names_add(names, ACCOUNT_GROUP, 0);
	account_names_add(names, ACCOUNT_USER, UNNAMED);
	account_names_add(names, ACCOUNT_USER, 0);
	account_names_add(names, ACCOUNT_USER, 0);
	ck_assert_uint_eq(names->table.n, 3);
	must(account_names_find(names, &host, &root));
	ck_assert_str_eq(account_names_get(names, ACCOUNT_USER, 0), "root");
	ck_assert_str_eq(account_names_get(names, ACCOUNT_GROUP, 0), "root");
	ck_assert_ptr_null(account_names_get(names, ACCOUNT_USER, UNNAMED));
	ck_assert_ptr_null(account_names_get(names, ACCOUNT_GROUP, UNNAMED));
	free(names);
}
END_TEST

START_TEST(test_account_names_leaves_out_what_is_too_many)
{
	struct account_names *names = calloc(1, sizeof(*names));

	for (uint32_t i = 0; i <= ACCOUNT_NAMES_MOST; i++)
		account_names_add(names, ACCOUNT_USER, ACCOUNT_NAMES_MOST - i);
	ck_assert_uint_eq(names->table.n, ACCOUNT_NAMES_MOST);
	must(account_names_find(names, &host, &root));
	ck_assert_ptr_null(account_names_get(names, ACCOUNT_USER, 0));
	free(names);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("account_names");

	suite_add(suite, "names",
		  (const TTest *const[]){
			  test_account_names_finds_both_sorts,
			  test_account_names_leaves_out_what_is_too_many,
			  NULL,
		  });
	return suite_run(suite);
}
