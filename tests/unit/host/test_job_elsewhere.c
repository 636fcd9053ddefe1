/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs that wait for another machine. They use no thread: begin() starts them, job_end() ends them,
 * and leave() says that nobody waits any more.
 */
#include "lib/base/cleanup.h"
#include "lib/host/job.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"

/* What a job works on: the question tells one call from another. */
struct work {
	int question;
	int begin_result;
	int answer; /* what comes back */
};

struct asker {
	struct waiter waiter;
	struct work work;
	int result;
	unsigned n_resumed;
	bool is_last; /* does not repeat its step */
};

static struct job *asked; /* the job that was begun last */
static struct work *asked_work;
static unsigned n_begun, n_left, n_undone;
static int undone_answer;

static int begin(struct job *job, struct host *host_, void *data)
{
	struct work *work = data;

	ck_assert_ptr_eq(host_, &host);
	n_begun++;
	if (work->begin_result < 0)
		return work->begin_result;
	asked = job;
	asked_work = work;
	return 0;
}

static void leave(struct host *host_, void *data)
{
	ck_assert_int_eq(((struct work *)data)->answer, 0);
	n_left++;
}

static void undo(struct host *host_, struct caller *caller, void *data)
{
	n_undone++;
	undone_answer = ((struct work *)data)->answer;
}

static int act(void *data)
{
	ck_abort_msg("a job elsewhere has no act()");
}

static int run(struct waiter *waiter, struct work *work)
{
	const struct job_call call = {.place = JOB_ELSEWHERE,
				      .begin = begin,
				      .leave = leave,
				      .undo = undo,
				      .act = act,
				      .data = work,
				      .size = sizeof(*work),
				      .n_key = sizeof(work->question)};
	int r;

	stranger.waiter = waiter;
	r = job_run(&host, &stranger, &call);
	stranger.waiter = NULL;
	return r;
}

static void asker_resume(struct waiter *waiter)
{
	struct asker *asker = CONTAINER_OF(waiter, struct asker, waiter);

	asker->n_resumed++;
	if (!asker->is_last)
		asker->result = run(waiter, &asker->work);
}

static struct asker asker = {.waiter.resume = asker_resume, .work.question = 1};

/* Starts the job of the asker. */
static void start(void)
{
	must_fail(run(&asker.waiter, &asker.work), EINPROGRESS);
	ck_assert_uint_eq(n_begun, 1);
	ck_assert_uint_eq(asker.n_resumed, 0);
}

START_TEST(test_job_elsewhere_result_and_data_come_back)
{
	start();
	ck_assert_ptr_ne(asked_work, &asker.work);
	ck_assert_int_eq(asked_work->question, 1);
	asked_work->answer = 42;
	job_end(asked, 7);
	ck_assert_uint_eq(asker.n_resumed, 1);
	ck_assert_int_eq(asker.result, 7);
	ck_assert_int_eq(asker.work.answer, 42);
	ck_assert_ptr_null(asker.waiter.job);
	ck_assert_ptr_null(host.jobs);
	ck_assert_uint_eq(n_left + n_undone, 0);
}
END_TEST

START_TEST(test_job_elsewhere_is_begun_once)
{
	start();
	must_fail(run(&asker.waiter, &asker.work), EINPROGRESS);
	ck_assert_uint_eq(n_begun, 1);
	job_end(asked, -ENOSPC);
	must_fail(asker.result, ENOSPC);
	ck_assert_uint_eq(n_begun, 1);
}
END_TEST

/* Also before the mount serves requests, when other jobs are done at once. */
START_TEST(test_job_elsewhere_without_a_waiter_is_not_begun)
{
	host.is_serving = _i;
	must_fail(run(NULL, &asker.work), EAGAIN);
	ck_assert_uint_eq(n_begun, 0);
	ck_assert_ptr_null(host.jobs);
}
END_TEST

/* The servers choose their errors, and may choose one that would make the request wait for ever. */
START_TEST(test_job_elsewhere_error_that_means_waiting_is_another)
{
	start();
	job_end(asked, _i ? -EAGAIN : -EINPROGRESS);
	must_fail(asker.result, EIO);
}
END_TEST

START_TEST(test_job_elsewhere_that_is_given_up_is_left)
{
	start();
	ck_assert(!job_stop(&asker.waiter));
	waiter_fini(&asker.waiter);
	ck_assert_uint_eq(n_left, 1);
	ck_assert_uint_eq(n_undone, 0);
	ck_assert_uint_eq(asker.n_resumed, 0);
	ck_assert_ptr_null(host.jobs);
}
END_TEST

START_TEST(test_job_elsewhere_of_a_step_that_is_left_is_left)
{
	struct work other = {.question = 2};

	start();
	must_fail(run(&asker.waiter, &other), EINPROGRESS);
	ck_assert_uint_eq(n_left, 1);
	ck_assert_uint_eq(n_begun, 2);
	waiter_fini(&asker.waiter);
	ck_assert_uint_eq(n_left, 2);
}
END_TEST

/* The answer is there, but its request has gone: what it brought is freed, and it is not left. */
START_TEST(test_job_elsewhere_result_that_nobody_takes_is_undone)
{
	asker.is_last = true;
	start();
	asked_work->answer = 42;
	job_end(asked, _i ? -ENOSPC : 0);
	ck_assert_uint_eq(asker.n_resumed, 1);
	waiter_fini(&asker.waiter);
	ck_assert_uint_eq(n_left, 0);
	ck_assert_uint_eq(n_undone, _i ? 0 : 1);
	ck_assert_int_eq(undone_answer, _i ? 0 : 42);
	ck_assert_ptr_null(host.jobs);
}
END_TEST

START_TEST(test_job_elsewhere_result_is_taken_by_its_function)
{
	int r = 0;

	asker.is_last = true;
	start();
	ck_assert(!job_take_result(&asker.waiter, act, &r));
	job_end(asked, -EDQUOT);
	ck_assert(job_take_result(&asker.waiter, act, &r));
	must_fail(r, EDQUOT);
	ck_assert_ptr_null(host.jobs);
}
END_TEST

START_TEST(test_job_elsewhere_that_can_not_begin_fails_at_once)
{
	asker.work.begin_result = _i ? -EAGAIN : -ENOBUFS;
	must_fail(run(&asker.waiter, &asker.work), _i ? EIO : ENOBUFS);
	ck_assert_ptr_null(asker.waiter.job);
	ck_assert_ptr_null(host.jobs);
	ck_assert_uint_eq(asker.n_resumed + n_left + n_undone, 0);
}
END_TEST

START_TEST(test_job_elsewhere_ends_with_the_mount)
{
	start();
	job_end_all(&host);
	ck_assert_uint_eq(n_left, 1);
	ck_assert_uint_eq(asker.n_resumed, 1);
	must_fail(asker.result, ENOTCONN);
	must_fail(run(&asker.waiter, &asker.work), ENOTCONN);
	ck_assert_uint_eq(n_begun, 1);
	ck_assert_ptr_null(host.jobs);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("job_elsewhere");

	suite_add(suite, "answered",
		  (const TTest *const[]){
			  test_job_elsewhere_result_and_data_come_back,
			  test_job_elsewhere_is_begun_once,
			  test_job_elsewhere_result_is_taken_by_its_function,
			  NULL,
		  });
	suite_add(suite, "given up",
		  (const TTest *const[]){
			  test_job_elsewhere_that_is_given_up_is_left,
			  test_job_elsewhere_of_a_step_that_is_left_is_left,
			  test_job_elsewhere_ends_with_the_mount,
			  NULL,
		  });
	suite_add_loop(suite, "both",
		       (const TTest *const[]){
			       test_job_elsewhere_without_a_waiter_is_not_begun,
			       test_job_elsewhere_error_that_means_waiting_is_another,
			       test_job_elsewhere_result_that_nobody_takes_is_undone,
			       test_job_elsewhere_that_can_not_begin_fails_at_once,
			       NULL,
		       },
		       2);
	return suite_run(suite);
}
