/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects made by a process of the caller's: one try starts it, a later one has its result, and a
 * user has one under way at a time.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "lib/host/errands.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"

static struct caller other = {.uid = 1001, .gid = 1001};

struct making {
	int result; /* of act */
	uid_t uid;  /* who made it */
	pid_t tid;  /* the thread that it was */
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
	const struct errand_call call = {
		.name = name, .act = act_make, .data = making, .size = sizeof(*making)};

	return errands_run(&host, caller, &call);
}

/* Starts one that does not end by itself. */
static void start_endless(struct caller *caller, const char *name)
{
	struct making making = {0};
	const struct errand_call call = {
		.name = name, .act = act_wait, .data = &making, .size = sizeof(making)};

	must_fail(errands_run(&host, caller, &call), EAGAIN);
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

START_TEST(test_errands_of_the_daemon_itself_need_no_process)
{
	struct client client = {.caller = &root, .name = "a", .making.uid = STRANGER};

	must(client_try(&client));
	ck_assert_uint_eq(client.making.uid, 0);
	ck_assert_ptr_null(host.errands);
}
END_TEST

START_TEST(test_errands_second_try_has_the_result)
{
	struct client client = {.caller = &stranger, .name = "a"};

	must(client_make(&client));
	ck_assert_uint_eq(client.n, 2);
	ck_assert_uint_eq(client.making.uid, STRANGER);
	ck_assert_ptr_null(host.errands);
}
END_TEST

START_TEST(test_errands_second_try_has_the_error)
{
	struct client client = {.caller = &stranger, .name = "a", .making.result = -ENOSPC};

	must_fail(client_make(&client), ENOSPC);
	ck_assert_ptr_null(host.errands);
}
END_TEST

START_TEST(test_errands_early_try_waits_on)
{
	struct client client = {.caller = &stranger, .name = "a"};

	must_fail(client_try(&client), EAGAIN);
	must_fail(client_try(&client), EAGAIN);
	must(client_make(&client));
}
END_TEST

START_TEST(test_errands_of_another_name_waits_its_turn)
{
	struct client a = {.caller = &stranger, .name = "a", .making.result = -ENOSPC};
	struct client b = {.caller = &stranger, .name = "b"};

	must_fail(client_try(&a), EAGAIN);
	must(client_make(&b)); /* does not get the result of "a" */
	ck_assert_uint_eq(b.making.uid, STRANGER);
}
END_TEST

START_TEST(test_errands_of_another_user_are_not_held_up)
{
	struct client client = {.caller = &other, .name = "a"};

	start_endless(&stranger, "a");
	must(client_make(&client));
	ck_assert_uint_eq(client.making.uid, other.uid);
	errands_end(&host);
}
END_TEST

START_TEST(test_errands_behind_one_that_does_not_end_wait)
{
	struct client client = {.caller = &stranger, .name = "b"};

	start_endless(&stranger, "a");
	must_fail(client_try(&client), EAGAIN);
	loop_settle();
	must_fail(client_try(&client), EAGAIN);
	errands_end(&host);
}
END_TEST

static int refuse_once(void *data)
{
	return ++*(unsigned *)data > 1 ? 0 : -EAGAIN;
}

START_TEST(test_errands_result_that_nobody_takes_is_dropped)
{
	struct client client = {.caller = &stranger, .name = "a"};
	unsigned n = 0;

	must_fail(client_try(&client), EAGAIN);
	must(loop_wait_for(refuse_once, &n)); /* is told of the result, and takes it not */
	ck_assert_ptr_null(host.errands);
}
END_TEST

START_TEST(test_errands_end_ends_what_is_under_way)
{
	start_endless(&stranger, "a");
	start_endless(&other, "a");
	errands_end(&host);
	ck_assert_ptr_null(host.errands);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}
END_TEST

/* What is done on threads. */

static _Atomic unsigned n_dropped;

static int act_look(void *data)
{
	struct making *making = data;

	making->uid = geteuid();
	making->tid = gettid();
	return making->result;
}

static void drop_look(struct host *host_, struct caller *caller, void *data)
{
	n_dropped++;
}

static int look(void *data)
{
	struct client *client = data;
	const struct errand_call call = {.way = ERRAND_THREAD,
					 .name = client->name,
					 .act = act_look,
					 .data = &client->making,
					 .size = sizeof(client->making),
					 .drop = drop_look};

	client->n++;
	return errands_run(&host, client->caller, &call);
}

START_TEST(test_errands_thread_has_the_callers_rights)
{
	struct client client = {.caller = &stranger, .name = "a"};

	must(loop_wait_for(look, &client));
	ck_assert_uint_eq(client.n, 2);
	ck_assert_uint_eq(client.making.uid, STRANGER);
	ck_assert_uint_eq(geteuid(), 0);
	ck_assert_ptr_null(host.errands);
	ck_assert_uint_eq(n_dropped, 0);
}
END_TEST

START_TEST(test_errands_of_the_daemon_need_a_thread_once_it_serves)
{
	struct client client = {.caller = &root, .name = "a"};

	must(look(&client));
	ck_assert_int_eq(client.making.tid, gettid());
	host.is_serving = true;
	client.making = (struct making){0};
	must_fail(look(&client), EAGAIN);
	must(loop_wait_for(look, &client));
	ck_assert_int_ne(client.making.tid, gettid());
}
END_TEST

START_TEST(test_errands_of_two_threads_of_a_user_run_side_by_side)
{
	struct caller second = {.uid = STRANGER, .gid = STRANGER, .pid = 1};
	struct client a = {.caller = &stranger, .name = "a", .making.result = -ENOSPC};
	struct client b = {.caller = &second, .name = "a"};

	must_fail(look(&a), EAGAIN);
	must_fail(look(&b), EAGAIN);
	must(loop_wait_for(look, &b));
	caller_fini(&second);
	errands_end(&host);
}
END_TEST

START_TEST(test_errands_thread_result_that_nobody_takes_is_dropped)
{
	struct client client = {.caller = &stranger, .name = "a"};
	unsigned n = 0;

	must_fail(look(&client), EAGAIN);
	must(loop_wait_for(refuse_once, &n));
	ck_assert_ptr_null(host.errands);
	ck_assert_uint_eq(n_dropped, 1);
}
END_TEST

START_TEST(test_errands_thread_that_outlives_them_is_dropped)
{
	struct client client = {.caller = &stranger, .name = "a"};

	must_fail(look(&client), EAGAIN);
	errands_end(&host);
	ck_assert_ptr_null(host.errands);
	host_stop(&host);
	ck_assert_uint_le(n_dropped, 1); /* none if it had not begun */
}
END_TEST

START_TEST(test_errands_of_our_own_threads_are_refused)
{
	struct client first = {.caller = &stranger, .name = "a"};
	struct caller self = {.uid = STRANGER, .gid = STRANGER};
	struct client client = {.caller = &self, .name = "a"};

	must(loop_wait_for(look, &first)); /* its thread is idle now */
	self.pid = first.making.tid;
	must_fail(look(&client), ELOOP);
	ck_assert_ptr_null(host.errands);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("errands");

	suite_add(suite, "make",
		  (const TTest *const[]){
			  test_errands_of_the_daemon_itself_need_no_process,
			  test_errands_second_try_has_the_result,
			  test_errands_second_try_has_the_error,
			  test_errands_early_try_waits_on,
			  test_errands_of_another_name_waits_its_turn,
			  test_errands_of_another_user_are_not_held_up,
			  test_errands_behind_one_that_does_not_end_wait,
			  test_errands_result_that_nobody_takes_is_dropped,
			  test_errands_end_ends_what_is_under_way,
			  NULL,
		  });
	suite_add(suite, "threads",
		  (const TTest *const[]){
			  test_errands_thread_has_the_callers_rights,
			  test_errands_of_the_daemon_need_a_thread_once_it_serves,
			  test_errands_of_two_threads_of_a_user_run_side_by_side,
			  test_errands_thread_result_that_nobody_takes_is_dropped,
			  test_errands_thread_that_outlives_them_is_dropped,
			  test_errands_of_our_own_threads_are_refused,
			  NULL,
		  });
	return suite_run(suite);
}
