/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where jobs are done: in processes, one at a time for each user, and on threads.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/unit/client.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"

static struct caller other = {.uid = 1001, .gid = 1001};

/* Expects no child to be left. */
static void expect_no_child(void)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}

/* What jobs of JOB_PROCESS do. */

START_TEST(test_job_of_the_daemon_itself_needs_no_process)
{
	struct client client = {.caller = &root, .work.uid = STRANGER};

	host.is_serving = true;
	must(client_try(&client));
	ck_assert_uint_eq(client.work.uid, 0);
	ck_assert_int_eq(client.work.tid, gettid());
}
END_TEST

START_TEST(test_job_process_is_the_caller)
{
	struct client client = {.caller = &stranger};

	must(client_run(&client));
	ck_assert_uint_eq(client.work.uid, STRANGER);
	ck_assert_int_ne(client.work.tid, gettid());
	expect_no_child();
}
END_TEST

START_TEST(test_job_processes_of_a_user_run_one_after_the_other)
{
	struct client a = {.caller = &stranger, .work = {.number = 1, .result = -ENOSPC}};
	struct client b = {.caller = &stranger, .work.number = 2};
	struct client c = {.caller = &stranger, .work.number = 3};

	client_start(&a);
	client_start(&b);
	client_start(&c);
	must(client_wait(&c));
	ck_assert_uint_eq(a.order, 1);
	ck_assert_uint_eq(b.order, 2);
	ck_assert_uint_eq(c.order, 3);
	must_fail(a.result, ENOSPC);
	must(b.result);
}
END_TEST

START_TEST(test_job_process_that_does_not_end_holds_up_its_user_alone)
{
	struct client endless = {.caller = &stranger, .act = client_act_wait};
	struct client behind = {.caller = &stranger};
	struct client beside = {.caller = &other};

	client_start(&endless);
	client_start(&behind);
	must(client_run(&beside));
	ck_assert_uint_eq(beside.work.uid, other.uid);
	ck_assert(!behind.is_done);
	job_end_all(&host);
	must_fail(endless.result, ENOTCONN);
	must_fail(behind.result, ENOTCONN);
	ck_assert_ptr_null(host.jobs);
	expect_no_child();
}
END_TEST

/* Runs a job without undo(), so that its process is killed when the job is given up. */
static int run_killed(struct client *client)
{
	const struct job_call call = {
		.act = client_act_wait, .data = &client->work, .size = sizeof(client->work)};

	stranger.waiter = &client->waiter;
	return job_run(&host, &stranger, &call);
}

START_TEST(test_job_process_that_is_given_up_makes_room_for_the_next)
{
	struct client endless = {.caller = &stranger};
	struct client behind = {.caller = &stranger};

	must_fail(run_killed(&endless), EINPROGRESS);
	client_start(&behind);
	waiter_fini(&endless.waiter);
	must(client_wait(&behind));
}
END_TEST

/*
 * The process goes on after it was given up, as if its user had stopped it. So the user's next jobs
 * fail with EBUSY, instead of waiting for that process.
 */
START_TEST(test_job_process_that_stays_when_given_up_is_its_users_last)
{
	struct client endless = {.caller = &stranger, .act = client_act_wait};
	struct client beside = {.caller = &other};
	int r;

	client_start(&endless);
	waiter_fini(&endless.waiter);
	do {
		struct client behind = {.caller = &stranger};

		usleep(50000);
		r = client_try(&behind);
		waiter_fini(&behind.waiter);
	} while (r == -EINPROGRESS);
	must_fail(r, EBUSY);
	must(client_run(&beside));
	job_end_all(&host);
	expect_no_child();
}
END_TEST

START_TEST(test_job_queued_process_that_is_given_up_is_gone)
{
	struct client first = {.caller = &stranger, .work.number = 1};
	struct client second = {.caller = &stranger, .work.number = 2};
	struct client third = {.caller = &stranger, .work.number = 3};

	client_start(&first);
	client_start(&second);
	client_start(&third);
	waiter_fini(&second.waiter);
	must(client_wait(&third));
	ck_assert(first.is_done && !second.is_done);
	ck_assert_uint_eq(client_n_undone, 0);
}
END_TEST

/* What jobs of JOB_THREAD and JOB_ALONE do. */

START_TEST(test_job_thread_has_the_callers_rights)
{
	struct client client = {.caller = &stranger, .place = JOB_THREAD};

	must(client_run(&client));
	ck_assert_uint_eq(client.work.uid, STRANGER);
	ck_assert_uint_eq(geteuid(), 0);
}
END_TEST

START_TEST(test_job_of_the_daemon_needs_a_thread_once_it_serves)
{
	struct client before = {.caller = &root, .place = JOB_THREAD};
	struct client client = {.caller = &root, .place = JOB_THREAD};

	must(client_try(&before));
	ck_assert_int_eq(before.work.tid, gettid());
	host.is_serving = true;
	must(client_run(&client));
	ck_assert_int_ne(client.work.tid, gettid());
}
END_TEST

/*
 * The walk of a thread of ours could lead into the mount again, which would need another walk, and
 * so on. A job that does not walk comes to an end.
 */
START_TEST(test_job_of_our_own_threads_is_no_walk)
{
	struct client first = {.caller = &stranger, .place = JOB_THREAD};
	struct caller self = {.uid = STRANGER, .gid = STRANGER};
	struct client walk = {.caller = &self, .place = JOB_THREAD, .walks = true};
	struct client client = {.caller = &self, .place = JOB_THREAD};

	must(client_run(&first)); /* the thread of this job is idle now */
	self.pid = first.work.tid;
	must_fail(client_try(&walk), ELOOP);
	ck_assert_ptr_null(host.jobs);
	must(client_run(&client));
}
END_TEST

START_TEST(test_job_thread_that_outlives_its_waiter_ends_with_the_host)
{
	struct client client = {.caller = &stranger, .place = JOB_THREAD, .act = client_act_wait};

	client_start(&client);
	job_end_all(&host);
	must_fail(client.result, ENOTCONN);
	host_stop(&host);
	ck_assert_ptr_null(host.jobs);
}
END_TEST

static _Atomic bool goes_on;

static int act_while_it_goes_on(void *data)
{
	while (goes_on)
		usleep(1000);
	return 0;
}

START_TEST(test_job_that_is_late_is_left_alone)
{
	struct client late = {.caller = &stranger,
			      .place = JOB_ALONE,
			      .act = act_while_it_goes_on,
			      .most = 20 * CLOCK_MS};
	struct client again = late, alike = late;

	goes_on = true;
	alike.work.number = 1;
	host.is_serving = true;
	must_fail(client_run(&late), ETIMEDOUT);
	ck_assert_uint_eq(user_charged(&host.users, STRANGER, USER_LOCKS), 1);
	/* The same call loses no second thread. Another call may lose one. */
	must_fail(client_try(&again), ETIMEDOUT);
	ck_assert_uint_eq(user_charged(&host.users, STRANGER, USER_LOCKS), 1);
	must_fail(client_run(&alike), ETIMEDOUT);
	ck_assert_uint_eq(user_charged(&host.users, STRANGER, USER_LOCKS), 2);
	goes_on = false;
}
END_TEST

START_TEST(test_job_that_was_late_can_be_done_when_it_has_ended)
{
	struct client late = {.caller = &stranger,
			      .place = JOB_ALONE,
			      .act = act_while_it_goes_on,
			      .most = 20 * CLOCK_MS};
	struct client again = late;

	goes_on = true;
	host.is_serving = true;
	must_fail(client_run(&late), ETIMEDOUT);
	goes_on = false;
	while (host.jobs) {
		struct client beside = {.caller = &other, .place = JOB_ALONE};

		must(client_run(&beside));
	}
	again.most = 60 * CLOCK_S;
	must(client_run(&again));
}
END_TEST

START_TEST(test_job_in_time_is_done)
{
	struct client client = {.caller = &stranger, .place = JOB_ALONE, .most = 60 * CLOCK_S};

	host.is_serving = true;
	must(client_run(&client));
	ck_assert_int_ne(client.work.tid, gettid());
	ck_assert_uint_eq(client_n_undone, 0);
}
END_TEST

START_TEST(test_job_once_the_mount_ends_nothing_is_started)
{
	struct client client = {.caller = &stranger, .place = JOB_THREAD};

	job_end_all(&host);
	must_fail(client_try(&client), ENOTCONN);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("job places");

	suite_add(suite, "processes",
		  (const TTest *const[]){
			  test_job_of_the_daemon_itself_needs_no_process,
			  test_job_process_is_the_caller,
			  test_job_processes_of_a_user_run_one_after_the_other,
			  test_job_process_that_does_not_end_holds_up_its_user_alone,
			  test_job_process_that_is_given_up_makes_room_for_the_next,
			  test_job_process_that_stays_when_given_up_is_its_users_last,
			  test_job_queued_process_that_is_given_up_is_gone,
			  NULL,
		  });
	suite_add(suite, "threads",
		  (const TTest *const[]){
			  test_job_thread_has_the_callers_rights,
			  test_job_of_the_daemon_needs_a_thread_once_it_serves,
			  test_job_of_our_own_threads_is_no_walk,
			  test_job_thread_that_outlives_its_waiter_ends_with_the_host,
			  test_job_that_is_late_is_left_alone,
			  test_job_that_was_late_can_be_done_when_it_has_ended,
			  test_job_in_time_is_done,
			  test_job_once_the_mount_ends_nothing_is_started,
			  NULL,
		  });
	return suite_run(suite);
}
