/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs: each belongs to whatever waits for it, is started once, and its result is taken once or
 * undone.
 */
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/host/job.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"

static struct caller other = {.uid = 1001, .gid = 1001};

struct work {
	int result; /* of act */
	int number; /* that tells one from another */
	uid_t uid;  /* who did it */
	pid_t tid;  /* the thread that it was */
};

/* Something that waits, as a held request does. */
struct client {
	struct waiter waiter;
	struct caller *caller;
	enum job_place place;
	int (*act)(void *data);
	struct work work;
	int result;
	unsigned n;     /* tries */
	unsigned order; /* in which it was done */
	bool is_done;
};

static unsigned n_done, n_undone, n_forgotten;
static _Atomic unsigned n_acts; /* on threads */

static void undo(struct host *host_, struct caller *caller, void *data)
{
	n_undone++;
}

static void forget(void *memory)
{
	n_forgotten++;
}

static int act_do(void *data)
{
	struct work *work = data;

	n_acts++;
	work->uid = geteuid();
	work->tid = gettid();
	return work->result;
}

static int act_wait(void *data)
{
	pause();
	return -EINTR;
}

static int client_try(struct client *client)
{
	const struct job_call call = {.place = client->place,
				      .act = client->act ? client->act : act_do,
				      .undo = undo,
				      .data = &client->work,
				      .size = sizeof(client->work)};
	int r;

	client->n++;
	client->caller->waiter = &client->waiter;
	r = job_run(&host, client->caller, &call);
	client->caller->waiter = NULL;
	return r;
}

static void client_resume(struct waiter *waiter)
{
	struct client *client = CONTAINER_OF(waiter, struct client, waiter);

	client->result = client_try(client);
	client->is_done = true;
	client->order = ++n_done;
	loop_end();
}

/* Starts the job of one that is all zeroes but for caller, place, act and work. */
static void client_start(struct client *client)
{
	client->waiter.resume = client_resume;
	must_fail(client_try(client), EINPROGRESS);
}

static int client_wait(struct client *client)
{
	loop_wait(&client->is_done);
	ck_assert_ptr_null(client->waiter.job);
	return client->result;
}

static int client_run(struct client *client)
{
	client_start(client);
	return client_wait(client);
}

/* Whose children are there? */
static void expect_no_child(void)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}

static const enum job_place places[] = {JOB_PROCESS, JOB_THREAD, JOB_SLEEPER, JOB_WORKER};
enum { N_PLACES = 4 };

START_TEST(test_job_result_is_there_when_resumed)
{
	struct client client = {.caller = &stranger, .place = places[_i], .work.result = -ENOSPC};

	host.is_serving = true;
	must_fail(client_run(&client), ENOSPC);
	ck_assert_uint_eq(client.n, 2);
	ck_assert_ptr_null(host.jobs);
	ck_assert_uint_eq(n_undone, 0);
}
END_TEST

START_TEST(test_job_without_a_waiter_is_not_started)
{
	struct work work = {0};
	const struct job_call call = {
		.place = places[_i], .act = act_do, .data = &work, .size = sizeof(work)};

	host.is_serving = true;
	must_fail(job_run(&host, &stranger, &call), EAGAIN);
	ck_assert_ptr_null(host.jobs);
}
END_TEST

START_TEST(test_job_that_is_under_way_is_not_started_again)
{
	struct client client = {.caller = &stranger, .place = places[_i]};

	host.is_serving = true;
	client_start(&client);
	must_fail(client_try(&client), EINPROGRESS);
	must(client_wait(&client));
	ck_assert_uint_le(n_acts, 1);
}
END_TEST

START_TEST(test_job_result_that_nobody_takes_is_undone)
{
	struct client client = {.caller = &stranger, .place = places[_i]};

	host.is_serving = true;
	client_start(&client);
	waiter_fini(&client.waiter);
	while (host.jobs)
		loop_settle();
	ck_assert(!client.is_done);
	ck_assert_uint_eq(n_undone, places[_i] == JOB_PROCESS ? 1 : n_acts);
}
END_TEST

START_TEST(test_job_that_failed_has_nothing_to_undo)
{
	struct client client = {.caller = &stranger, .place = places[_i], .work.result = -ENOSPC};

	host.is_serving = true;
	client_start(&client);
	waiter_fini(&client.waiter);
	while (host.jobs)
		loop_settle();
	ck_assert_uint_eq(n_undone, 0);
}
END_TEST

/* Steps. */

START_TEST(test_job_of_the_next_step_is_another)
{
	struct client client = {.caller = &stranger, .place = places[_i], .work.number = 1};

	host.is_serving = true;
	must(client_run(&client));
	client.is_done = false;
	client.work = (struct work){.number = 2, .result = -ENOENT};
	must_fail(client_run(&client), ENOENT);
	ck_assert_uint_eq(client.n, 4);
}
END_TEST

/* The step came to something else meanwhile: what was done for it is of no use. */
START_TEST(test_job_of_a_step_that_is_left_is_undone)
{
	struct client client = {.caller = &stranger, .place = JOB_WORKER, .work.number = 1};

	host.is_serving = true;
	client_start(&client);
	client.work.number = 2;
	must_fail(client_try(&client), EINPROGRESS);
	must(client_wait(&client));
	while (host.jobs)
		loop_settle();
	ck_assert_int_eq(client.work.number, 2);
	ck_assert_uint_eq(n_undone, n_acts - 1);
}
END_TEST

START_TEST(test_job_memory_of_the_waiter_is_forgotten_once)
{
	struct waiter waiter = {.memory = &waiter, .forget = forget};

	waiter_fini(&waiter);
	waiter_fini(&waiter);
	ck_assert_uint_eq(n_forgotten, 1);
}
END_TEST

/* Processes. */

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
	struct client endless = {.caller = &stranger, .act = act_wait};
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

/* Nothing of it can be undone any more, so it is not waited for. */
static int run_killed(struct client *client)
{
	const struct job_call call = {
		.act = act_wait, .data = &client->work, .size = sizeof(client->work)};

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
	ck_assert_uint_eq(n_undone, 0);
}
END_TEST

/* Threads. */

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

START_TEST(test_job_of_our_own_threads_is_refused)
{
	struct client first = {.caller = &stranger, .place = JOB_THREAD};
	struct caller self = {.uid = STRANGER, .gid = STRANGER};
	struct client client = {.caller = &self, .place = JOB_THREAD};

	must(client_run(&first)); /* its thread is idle now */
	self.pid = first.work.tid;
	must_fail(client_try(&client), ELOOP);
	ck_assert_ptr_null(host.jobs);
}
END_TEST

START_TEST(test_job_thread_that_outlives_its_waiter_ends_with_the_host)
{
	struct client client = {.caller = &stranger, .place = JOB_THREAD, .act = act_wait};

	client_start(&client);
	job_end_all(&host);
	must_fail(client.result, ENOTCONN);
	host_stop(&host);
	ck_assert_ptr_null(host.jobs);
}
END_TEST

START_TEST(test_job_once_the_mount_ends_nothing_is_started)
{
	struct client client = {.caller = &stranger, .place = JOB_THREAD};

	job_end_all(&host);
	must_fail(client_try(&client), ENOTCONN);
}
END_TEST

/* Stopping. */

START_TEST(test_job_sleeper_that_is_stopped_tells_so)
{
	struct client client = {.caller = &stranger, .place = JOB_SLEEPER, .act = act_wait};

	client_start(&client);
	ck_assert(job_stop(&client.waiter));
	ck_assert(job_stop(&client.waiter)); /* once more does no harm */
	must_fail(client_wait(&client), EINTR);
}
END_TEST

START_TEST(test_job_worker_can_not_be_stopped)
{
	struct client client = {.caller = &stranger, .place = JOB_WORKER};

	host.is_serving = true;
	client_start(&client);
	ck_assert(job_stop(&client.waiter));
	must(client_wait(&client));
}
END_TEST

START_TEST(test_job_of_the_caller_is_given_up_at_once)
{
	struct client client = {.caller = &stranger, .place = places[_i]};

	client_start(&client);
	ck_assert(!job_stop(&client.waiter));
	waiter_fini(&client.waiter);
	while (host.jobs)
		loop_settle();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("job");

	suite_add_loop(suite, "places",
		       (const TTest *const[]){
			       test_job_result_is_there_when_resumed,
			       test_job_without_a_waiter_is_not_started,
			       test_job_that_is_under_way_is_not_started_again,
			       test_job_result_that_nobody_takes_is_undone,
			       test_job_that_failed_has_nothing_to_undo,
			       test_job_of_the_next_step_is_another,
			       NULL,
		       },
		       N_PLACES);
	suite_add(suite, "steps",
		  (const TTest *const[]){
			  test_job_of_a_step_that_is_left_is_undone,
			  test_job_memory_of_the_waiter_is_forgotten_once,
			  NULL,
		  });
	suite_add(suite, "processes",
		  (const TTest *const[]){
			  test_job_of_the_daemon_itself_needs_no_process,
			  test_job_process_is_the_caller,
			  test_job_processes_of_a_user_run_one_after_the_other,
			  test_job_process_that_does_not_end_holds_up_its_user_alone,
			  test_job_process_that_is_given_up_makes_room_for_the_next,
			  test_job_queued_process_that_is_given_up_is_gone,
			  NULL,
		  });
	suite_add(suite, "threads",
		  (const TTest *const[]){
			  test_job_thread_has_the_callers_rights,
			  test_job_of_the_daemon_needs_a_thread_once_it_serves,
			  test_job_of_our_own_threads_is_refused,
			  test_job_thread_that_outlives_its_waiter_ends_with_the_host,
			  test_job_once_the_mount_ends_nothing_is_started,
			  NULL,
		  });
	suite_add(suite, "stopping",
		  (const TTest *const[]){
			  test_job_sleeper_that_is_stopped_tells_so,
			  test_job_worker_can_not_be_stopped,
			  NULL,
		  });
	suite_add_loop(suite, "given up",
		       (const TTest *const[]){test_job_of_the_caller_is_given_up_at_once, NULL}, 2);
	return suite_run(suite);
}
