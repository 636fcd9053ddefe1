/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs. Each belongs to the waiter that it works for and is started once, and its result is taken
 * or undone, once.
 */
#include <unistd.h>

#include "tests/unit/client.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"

static unsigned n_forgotten;

static void forget(void *memory)
{
	n_forgotten++;
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
	ck_assert_uint_eq(client_n_undone, 0);
}
END_TEST

/* From job_run() these mean that the caller has to wait, so it must not pass them on from act(). */
static const int waiting_errors[] = {EAGAIN, EINPROGRESS};

START_TEST(test_job_error_that_means_waiting_is_another)
{
	for (size_t i = 0; i < sizeof(waiting_errors) / sizeof(waiting_errors[0]); i++) {
		struct client client = {.caller = &stranger,
					.place = places[_i],
					.work.result = -waiting_errors[i]};

		host.is_serving = true;
		must_fail(client_run(&client), EIO);
	}
}
END_TEST

START_TEST(test_job_error_of_the_daemon_that_means_waiting_is_another)
{
	for (size_t i = 0; i < sizeof(waiting_errors) / sizeof(waiting_errors[0]); i++) {
		struct client client = {.caller = &root, .work.result = -waiting_errors[i]};

		must_fail(client_try(&client), EIO);
	}
}
END_TEST

START_TEST(test_job_without_a_waiter_is_not_started)
{
	struct client_work work = {0};
	const struct job_call call = {
		.place = places[_i], .act = client_act, .data = &work, .size = sizeof(work)};

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
	ck_assert_uint_le(client_n_acts, 1);
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
	ck_assert_uint_eq(client_n_undone, places[_i] == JOB_PROCESS ? 1 : client_n_acts);
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
	ck_assert_uint_eq(client_n_undone, 0);
}
END_TEST

/* The waiter is the same, but each of its steps has a job of its own. */
START_TEST(test_job_of_the_next_step_is_another)
{
	struct client client = {.caller = &stranger, .place = places[_i], .work.number = 1};

	host.is_serving = true;
	must(client_run(&client));
	client.is_done = false;
	client.work = (struct client_work){.number = 2, .result = -ENOENT};
	must_fail(client_run(&client), ENOENT);
	ck_assert_uint_eq(client.n, 4);
}
END_TEST

/* The waiter has begun another step meanwhile, so the result for the old step is undone. */
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
	ck_assert_uint_eq(client_n_undone, client_n_acts - 1);
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

START_TEST(test_job_sleeper_that_is_stopped_tells_so)
{
	struct client client = {.caller = &stranger, .place = JOB_SLEEPER, .act = client_act_wait};

	client_start(&client);
	ck_assert(job_stop(&client.waiter));
	ck_assert(job_stop(&client.waiter)); /* a second call does no harm */
	must_fail(client_wait(&client), EINTR);
}
END_TEST

START_TEST(test_job_worker_can_not_be_stopped)
{
	struct client client = {.caller = &stranger, .place = JOB_WORKER};

	host.is_serving = true;
	client_start(&client);
	while (client_n_acts == 0)
		usleep(1000);
	ck_assert(job_stop(&client.waiter));
	must(client_wait(&client));
}
END_TEST

/*
 * All workers are busy for a long time. A request that is killed meanwhile need not wait for them.
 */
START_TEST(test_job_worker_that_has_not_begun_is_stopped)
{
	struct client busy[8] = {0};
	struct client client = {.caller = &stranger, .place = JOB_WORKER};

	host.is_serving = true;
	for (size_t i = 0; i < sizeof(busy) / sizeof(busy[0]); i++) {
		busy[i] = (struct client){
			.caller = &stranger, .place = JOB_WORKER, .act = client_act_wait};
		client_start(&busy[i]);
	}
	client_start(&client);
	ck_assert(job_stop(&client.waiter));
	must_fail(client_wait(&client), EINTR);
	ck_assert_uint_eq(client_n_acts, 0);
	host_stop(&host);
	ck_assert_ptr_null(host.jobs);
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

static int act_nothing(void *data)
{
	return 0;
}

/* What the job does may be what sends the signal. */
START_TEST(test_job_that_is_final_is_waited_for_only_while_it_runs)
{
	const struct job_call call = {.place = JOB_PROCESS,
				      .is_final = true,
				      .act = act_nothing,
				      .data = &(int){0},
				      .size = sizeof(int)};
	struct waiter first = {0}, second = {0};
	struct caller caller = {.uid = STRANGER, .gid = STRANGER};

	host.is_serving = true;
	caller.waiter = &first;
	must_fail(job_run(&host, &caller, &call), EINPROGRESS);
	caller.waiter = &second; /* behind the first */
	must_fail(job_run(&host, &caller, &call), EINPROGRESS);
	ck_assert(job_stop(&first));
	ck_assert(!job_stop(&second));
	waiter_fini(&second);
	waiter_fini(&first);
	while (host.jobs)
		loop_settle();
	caller_fini(&caller);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("job");

	suite_add_loop(suite, "places",
		       (const TTest *const[]){
			       test_job_result_is_there_when_resumed,
			       test_job_error_that_means_waiting_is_another,
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
			  test_job_that_is_final_is_waited_for_only_while_it_runs,
			  test_job_error_of_the_daemon_that_means_waiting_is_another,
			  NULL,
		  });
	suite_add(suite, "stopping",
		  (const TTest *const[]){
			  test_job_sleeper_that_is_stopped_tells_so,
			  test_job_worker_can_not_be_stopped,
			  test_job_worker_that_has_not_begun_is_stopped,
			  NULL,
		  });
	suite_add_loop(suite, "given up",
		       (const TTest *const[]){test_job_of_the_caller_is_given_up_at_once, NULL}, 2);
	return suite_run(suite);
}
