// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Users and groups by name, and names for those that have none. Every machine has `root`, and
 * `daemon` with number 1; no machine has the others.
 */
#include "lib/kinds/cluster/accounts.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"

#define NAMELESS 3999999990U
#define UNKNOWN  "nobody-has-this-name"

static struct accounts *accounts;
static bool is_answered;

static void note_answer(struct loop_task *task)
{
	is_answered = true;
	loop_end();
}

static struct loop_task answered = {.run = note_answer};

static void begin(void)
{
	must(accounts_new(&host, &answered, &accounts));
}

static void end(void)
{
	loop_cancel(loop, &answered);
	accounts_free(accounts);
}

/* An ask, and what came of it. */
struct asking {
	struct accounts_ask ask;
	bool is_done;
	int error;
};

static void note_named(struct accounts_ask *ask, int error)
{
	struct asking *asking = (struct asking *)ask;

	asking->is_done = true;
	asking->error = error;
	loop_end();
}

START_TEST(test_accounts_local_name_is_known_at_once)
{
	begin();
	ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_USER, "root"), 0);
	ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_GROUP, "root"), 0);
	ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_USER, "daemon"), 1);
	ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_GROUP, "daemon"), 1);
	ck_assert_int_eq(accounts_await(accounts, ACCOUNT_USER, "daemon"), 0);
	end();
}
END_TEST

START_TEST(test_accounts_unknown_name_is_a_strangers)
{
	begin();
	ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_USER, UNKNOWN), ACCOUNTS_UNKNOWN);
	ck_assert_int_ne(accounts_await(accounts, ACCOUNT_USER, UNKNOWN), 0);
	loop_wait(&is_answered);
	ck_assert_int_eq(accounts_await(accounts, ACCOUNT_USER, UNKNOWN), 0);
	ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_USER, UNKNOWN), ACCOUNTS_UNKNOWN);
	end();
}
END_TEST

START_TEST(test_accounts_impossible_name_is_a_strangers)
{
	char longest[300];

	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	begin();
	ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_USER, ""), ACCOUNTS_UNKNOWN);
	ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_USER, longest), ACCOUNTS_UNKNOWN);
	ck_assert_int_eq(accounts_await(accounts, ACCOUNT_USER, ""), 0);
	end();
}
END_TEST

START_TEST(test_accounts_number_without_a_name_is_its_name)
{
	begin();
	ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_USER, "3999999990"), ACCOUNTS_UNKNOWN);
	loop_wait(&is_answered);
	ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_USER, "3999999990"), NAMELESS);
	end();
}
END_TEST

/* Number 1 belongs to daemon, and 0 to root, wherever the entry comes from. */
START_TEST(test_accounts_number_with_a_name_is_a_strangers)
{
	static const char *const names[] = {"1", "0", "00", "4294967295", "03999999990"};

	begin();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		is_answered = false;
		ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_GROUP, names[i]), ACCOUNTS_UNKNOWN);
		loop_wait(&is_answered);
		ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_GROUP, names[i]), ACCOUNTS_UNKNOWN);
	}
	end();
}
END_TEST

START_TEST(test_accounts_ask_names_local_accounts_at_once)
{
	struct asking asking = {.ask.named = note_named};

	begin();
	must(accounts_ask(accounts, &asking.ask, 1, 0));
	ck_assert_str_eq(asking.ask.owner, "daemon");
	ck_assert_str_eq(asking.ask.group, "root");
	ck_assert(!asking.is_done);
	end();
}
END_TEST

START_TEST(test_accounts_ask_names_others_later)
{
	struct asking asking = {.ask.named = note_named};

	begin();
	must_fail(accounts_ask(accounts, &asking.ask, NAMELESS, 0), EINPROGRESS);
	loop_wait(&asking.is_done);
	ck_assert_int_eq(asking.error, 0);
	ck_assert_str_eq(asking.ask.owner, "3999999990");
	ck_assert_str_eq(asking.ask.group, "root");
	/* Whoever makes an object sees at once that it is theirs. */
	ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_USER, "3999999990"), NAMELESS);
	end();
}
END_TEST

START_TEST(test_accounts_forgotten_ask_is_not_answered)
{
	struct asking forgotten = {.ask.named = note_named}, other = forgotten;

	begin();
	must_fail(accounts_ask(accounts, &forgotten.ask, NAMELESS, 0), EINPROGRESS);
	must_fail(accounts_ask(accounts, &other.ask, NAMELESS, 0), EINPROGRESS);
	accounts_forget(&forgotten.ask);
	accounts_forget(&forgotten.ask);
	loop_wait(&other.is_done);
	loop_settle();
	ck_assert(!forgotten.is_done);
	end();
}
END_TEST

START_TEST(test_accounts_many_asks_are_answered)
{
	struct asking asking[32];

	begin();
	for (unsigned i = 0; i < 32; i++) {
		asking[i] = (struct asking){.ask.named = note_named};
		must_fail(accounts_ask(accounts, &asking[i].ask, NAMELESS - i, NAMELESS),
			  EINPROGRESS);
	}
	for (unsigned i = 0; i < 32; i++) {
		loop_wait(&asking[i].is_done);
		ck_assert_int_eq(asking[i].error, 0);
	}
	end();
}
END_TEST

/* Those that wait for a thread, those on one, and a name that is asked for. */
START_TEST(test_accounts_end_while_asked)
{
	struct asking asking[16];

	begin();
	accounts_id(accounts, ACCOUNT_USER, UNKNOWN);
	for (unsigned i = 0; i < 16; i++) {
		asking[i] = (struct asking){.ask.named = note_named};
		must_fail(accounts_ask(accounts, &asking[i].ask, NAMELESS - i, 0), EINPROGRESS);
	}
	end();
	for (unsigned i = 0; i < 16; i++) {
		ck_assert_ptr_null(asking[i].ask.lookup);
		ck_assert(!asking[i].is_done);
	}
}
END_TEST

/* The mount ends, and there are no threads any more. */
START_TEST(test_accounts_without_threads_names_stay_unknown)
{
	struct asking asking = {.ask.named = note_named};

	begin();
	host_stop(&host);
	must_fail(accounts_ask(accounts, &asking.ask, NAMELESS, 0), ENOBUFS);
	ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_USER, UNKNOWN), ACCOUNTS_UNKNOWN);
	ck_assert_int_eq(accounts_await(accounts, ACCOUNT_USER, UNKNOWN), 0);
	end();
}
END_TEST

/* Entries may name any number of owners. */
START_TEST(test_accounts_any_number_of_names_is_survived)
{
	char name[32];

	begin();
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "hostile-%u", i);
		ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_USER, name), ACCOUNTS_UNKNOWN);
	}
	ck_assert_uint_eq(accounts_id(accounts, ACCOUNT_USER, "root"), 0);
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("accounts");

	suite_add(suite, "names",
		  (const TTest *const[]){
			  test_accounts_local_name_is_known_at_once,
			  test_accounts_unknown_name_is_a_strangers,
			  test_accounts_impossible_name_is_a_strangers,
			  test_accounts_number_without_a_name_is_its_name,
			  test_accounts_number_with_a_name_is_a_strangers,
			  test_accounts_without_threads_names_stay_unknown,
			  test_accounts_any_number_of_names_is_survived,
			  NULL,
		  });
	suite_add(suite, "asks",
		  (const TTest *const[]){
			  test_accounts_ask_names_local_accounts_at_once,
			  test_accounts_ask_names_others_later,
			  test_accounts_forgotten_ask_is_not_answered,
			  test_accounts_many_asks_are_answered,
			  test_accounts_end_while_asked,
			  NULL,
		  });
	return suite_run(suite);
}
