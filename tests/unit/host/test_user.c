/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The users' accounts. In every other test the fixture checks that the accounts end up empty. These
 * tests check that accounts count, refuse, and vanish when they are empty.
 */
#include <stdint.h>

#include "lib/host/user.h"
#include "tests/unit/fixture.h"

enum { ANNA = 1001, BERT = 1002 };

static struct user_table *users = &host.users;

static const int errors[USER_N_CHARGES] = {
	[USER_CHANNELS] = EMFILE, [USER_FILES] = ENFILE,   [USER_HELD] = ENOBUFS,
	[USER_BYTES] = ENOBUFS,   [USER_STORED] = ENOBUFS, [USER_DESCRIPTORS] = ENFILE,
	[USER_SCANS] = ENOBUFS,   [USER_SLEEPS] = ENOBUFS, [USER_NAMES] = ENOBUFS,
	[USER_WATCHES] = ENFILE,  [USER_LOCKS] = ENOBUFS,  [USER_LOCKED] = ENOLCK,
};

START_TEST(test_user_charge_is_counted)
{
	must(user_charge(users, ANNA, USER_BYTES, 10));
	must(user_charge(users, ANNA, USER_BYTES, 5));
	ck_assert_uint_eq(user_charged(users, ANNA, USER_BYTES), 15);
	user_uncharge(users, ANNA, USER_BYTES, 4);
	ck_assert_uint_eq(user_charged(users, ANNA, USER_BYTES), 11);
	user_uncharge(users, ANNA, USER_BYTES, 11);
}
END_TEST

START_TEST(test_user_unknown_has_nothing_charged)
{
	ck_assert_uint_eq(user_charged(users, ANNA, USER_FILES), 0);
	ck_assert_ptr_null(users->users);
}
END_TEST

START_TEST(test_user_charges_are_counted_apart)
{
	must(user_charge(users, ANNA, USER_FILES, 2));
	ck_assert_uint_eq(user_charged(users, ANNA, USER_HELD), 0);
	user_uncharge(users, ANNA, USER_FILES, 2);
}
END_TEST

START_TEST(test_user_users_are_counted_apart)
{
	users->limits[USER_FILES] = 1;
	must(user_charge(users, ANNA, USER_FILES, 1));
	must(user_charge(users, BERT, USER_FILES, 1));
	user_uncharge(users, ANNA, USER_FILES, 1);
	ck_assert_uint_eq(user_charged(users, BERT, USER_FILES), 1);
	user_uncharge(users, BERT, USER_FILES, 1);
}
END_TEST

START_TEST(test_user_charge_up_to_limit_succeeds)
{
	enum user_charge what = (enum user_charge)_i;

	users->limits[what] = 3;
	must(user_charge(users, ANNA, what, 2));
	must(user_charge(users, ANNA, what, 1));
	user_uncharge(users, ANNA, what, 3);
}
END_TEST

START_TEST(test_user_charge_over_limit_fails_with_its_error)
{
	enum user_charge what = (enum user_charge)_i;

	users->limits[what] = 3;
	must(user_charge(users, ANNA, what, 2));
	must_fail(user_charge(users, ANNA, what, 2), errors[what]);
	ck_assert_uint_eq(user_charged(users, ANNA, what), 2);
	user_uncharge(users, ANNA, what, 2);
}
END_TEST

START_TEST(test_user_refused_newcomer_is_not_kept)
{
	enum user_charge what = (enum user_charge)_i;

	users->limits[what] = 0;
	must_fail(user_charge(users, ANNA, what, 1), errors[what]);
	ck_assert_ptr_null(users->users);
}
END_TEST

START_TEST(test_user_root_is_limited_as_well)
{
	users->limits[USER_HELD] = 1;
	must(user_charge(users, 0, USER_HELD, 1));
	must_fail(user_charge(users, 0, USER_HELD, 1), ENOBUFS);
	user_uncharge(users, 0, USER_HELD, 1);
}
END_TEST

/* Asking charges nothing, and gives the answer that a charge would. */
START_TEST(test_user_has_room_up_to_limit)
{
	users->limits[USER_STORED] = 10;
	ck_assert(user_has_room(users, ANNA, USER_STORED, 10));
	ck_assert(!user_has_room(users, ANNA, USER_STORED, 11));
	must(user_charge(users, ANNA, USER_STORED, 4));
	ck_assert(user_has_room(users, ANNA, USER_STORED, 6));
	ck_assert(!user_has_room(users, ANNA, USER_STORED, 7));
	ck_assert(!user_has_room(users, ANNA, USER_STORED, SIZE_MAX));
	user_uncharge(users, ANNA, USER_STORED, 4);
}
END_TEST

START_TEST(test_user_charge_that_would_wrap_is_refused)
{
	users->limits[USER_BYTES] = SIZE_MAX;
	must(user_charge(users, ANNA, USER_BYTES, 2));
	must_fail(user_charge(users, ANNA, USER_BYTES, SIZE_MAX), ENOBUFS);
	ck_assert_uint_eq(user_charged(users, ANNA, USER_BYTES), 2);
	user_uncharge(users, ANNA, USER_BYTES, 2);
}
END_TEST

START_TEST(test_user_limit_lowered_below_charge_refuses)
{
	must(user_charge(users, ANNA, USER_FILES, 5));
	users->limits[USER_FILES] = 2;
	must_fail(user_charge(users, ANNA, USER_FILES, 1), ENFILE);
	user_uncharge(users, ANNA, USER_FILES, 5);
}
END_TEST

START_TEST(test_user_charge_of_nothing_leaves_table_empty)
{
	users->limits[USER_BYTES] = 0;
	must(user_charge(users, ANNA, USER_BYTES, 0));
	user_uncharge(users, ANNA, USER_BYTES, 0);
	ck_assert_ptr_null(users->users);
}
END_TEST

START_TEST(test_user_stays_while_anything_is_charged)
{
	must(user_charge(users, ANNA, USER_FILES, 1));
	must(user_charge(users, ANNA, USER_STORED, 4096));
	user_uncharge(users, ANNA, USER_FILES, 1);
	ck_assert_uint_eq(user_charged(users, ANNA, USER_STORED), 4096);
	user_uncharge(users, ANNA, USER_STORED, 4096);
}
END_TEST

START_TEST(test_user_table_empties_itself)
{
	for (uid_t uid = 0; uid < 100; uid++)
		must(user_charge(users, uid, USER_CHANNELS, uid + 1));
	for (uid_t uid = 0; uid < 100; uid++)
		user_uncharge(users, uid, USER_CHANNELS, uid + 1);
	ck_assert_ptr_null(users->users);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("user");

	suite_add(suite, "accounts",
		  (const TTest *const[]){
			  test_user_charge_is_counted,
			  test_user_unknown_has_nothing_charged,
			  test_user_charges_are_counted_apart,
			  test_user_users_are_counted_apart,
			  test_user_root_is_limited_as_well,
			  test_user_has_room_up_to_limit,
			  test_user_charge_that_would_wrap_is_refused,
			  test_user_limit_lowered_below_charge_refuses,
			  test_user_charge_of_nothing_leaves_table_empty,
			  test_user_stays_while_anything_is_charged,
			  test_user_table_empties_itself,
			  NULL,
		  });
	suite_add_loop(suite, "limits",
		       (const TTest *const[]){
			       test_user_charge_up_to_limit_succeeds,
			       test_user_charge_over_limit_fails_with_its_error,
			       test_user_refused_newcomer_is_not_kept,
			       NULL,
		       },
		       USER_N_CHARGES);
	return suite_run(suite);
}
