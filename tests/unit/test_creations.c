/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects made by a process of the caller's: one try starts it, a later one has its result, and a
 * user has one under way at a time.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "lib/creations.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"

static struct creations creations = {.host = &host};
static struct caller other = {.uid = 1001, .gid = 1001};

struct making {
	int result; /* of act */
	uid_t uid;  /* who made it */
};

static int act_make(void *data)
{
	struct making *making = data;

	making->uid = getuid();
	return making->result;
}

static int act_wait(void *data)
{
	pause();
	return 0;
}

static int make(struct caller *caller, const char *name, struct making *making)
{
	return creations_make(&creations, caller, name, act_make, making, sizeof(*making));
}

/* Starts one that does not end by itself. */
static void start_endless(struct caller *caller, const char *name)
{
	struct making making = {0};

	must_fail(creations_make(&creations, caller, name, act_wait, &making, sizeof(making)),
		  EAGAIN);
}

/* Somebody who waits for an object, as a held request does. */
struct client {
	struct caller *caller;
	const char *name;
	struct making making;
	unsigned n; /* tries */
};

static int client_try(void *data)
{
	struct client *client = data;

	client->n++;
	return make(client->caller, client->name, &client->making);
}

static int client_make(struct client *client)
{
	return loop_wait_for(client_try, client);
}

START_TEST(test_creations_of_the_daemon_itself_need_no_process)
{
	struct client client = {.caller = &root, .name = "a", .making.uid = STRANGER};

	must(client_try(&client));
	ck_assert_uint_eq(client.making.uid, 0);
	ck_assert_ptr_null(creations.creations);
}
END_TEST

START_TEST(test_creations_second_try_has_the_result)
{
	struct client client = {.caller = &stranger, .name = "a"};

	must(client_make(&client));
	ck_assert_uint_eq(client.n, 2);
	ck_assert_uint_eq(client.making.uid, STRANGER);
	ck_assert_ptr_null(creations.creations);
}
END_TEST

START_TEST(test_creations_second_try_has_the_error)
{
	struct client client = {.caller = &stranger, .name = "a", .making.result = -ENOSPC};

	must_fail(client_make(&client), ENOSPC);
	ck_assert_ptr_null(creations.creations);
}
END_TEST

START_TEST(test_creations_early_try_waits_on)
{
	struct client client = {.caller = &stranger, .name = "a"};

	must_fail(client_try(&client), EAGAIN);
	must_fail(client_try(&client), EAGAIN);
	must(client_make(&client));
}
END_TEST

START_TEST(test_creations_of_another_name_waits_its_turn)
{
	struct client a = {.caller = &stranger, .name = "a", .making.result = -ENOSPC};
	struct client b = {.caller = &stranger, .name = "b"};

	must_fail(client_try(&a), EAGAIN);
	must(client_make(&b)); /* does not get the result of "a" */
	ck_assert_uint_eq(b.making.uid, STRANGER);
}
END_TEST

START_TEST(test_creations_of_another_user_are_not_held_up)
{
	struct client client = {.caller = &other, .name = "a"};

	start_endless(&stranger, "a");
	must(client_make(&client));
	ck_assert_uint_eq(client.making.uid, other.uid);
	creations_fini(&creations);
}
END_TEST

START_TEST(test_creations_behind_one_that_does_not_end_wait)
{
	struct client client = {.caller = &stranger, .name = "b"};

	start_endless(&stranger, "a");
	must_fail(client_try(&client), EAGAIN);
	loop_settle();
	must_fail(client_try(&client), EAGAIN);
	creations_fini(&creations);
}
END_TEST

static int refuse_once(void *data)
{
	return ++*(unsigned *)data > 1 ? 0 : -EAGAIN;
}

START_TEST(test_creations_result_that_nobody_takes_is_dropped)
{
	struct client client = {.caller = &stranger, .name = "a"};
	unsigned n = 0;

	must_fail(client_try(&client), EAGAIN);
	must(loop_wait_for(refuse_once, &n)); /* is told of the result, and takes it not */
	ck_assert_ptr_null(creations.creations);
}
END_TEST

START_TEST(test_creations_fini_ends_what_is_under_way)
{
	start_endless(&stranger, "a");
	start_endless(&other, "a");
	creations_fini(&creations);
	ck_assert_ptr_null(creations.creations);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("creations");

	suite_add(suite, "make",
		  (const TTest *const[]){
			  test_creations_of_the_daemon_itself_need_no_process,
			  test_creations_second_try_has_the_result,
			  test_creations_second_try_has_the_error,
			  test_creations_early_try_waits_on,
			  test_creations_of_another_name_waits_its_turn,
			  test_creations_of_another_user_are_not_held_up,
			  test_creations_behind_one_that_does_not_end_wait,
			  test_creations_result_that_nobody_takes_is_dropped,
			  test_creations_fini_ends_what_is_under_way,
			  NULL,
		  });
	return suite_run(suite);
}
