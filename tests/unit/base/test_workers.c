// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workers: a job runs on a thread, done() on the loop's; none is lost, none is told twice.
 * Where a job waits, it waits for a semaphore that the test posts.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/workers.h"
#include "tests/unit/fixture.h"

enum { MANY = 200, THREADS = 4 /* WORKERS_MAX of host.c */, DEADLINE = 20 };

struct job {
	struct worker_job job;
	pthread_t thread; /* that it ran on */
	sigset_t blocked; /* signals there */
	unsigned n_works, n_dones;
	unsigned order;        /* when it was done, from 1 */
	sem_t *started, *wait; /* NULL: not */
	struct job *next;      /* submitted by done() */
};

static unsigned n_done, n_wanted;

static void job_work(struct worker_job *job_)
{
	struct job *job = CONTAINER_OF(job_, struct job, job);

	if (job->started)
		sem_post(job->started);
	if (job->wait)
		sem_wait(job->wait);
	job->thread = pthread_self();
	pthread_sigmask(SIG_SETMASK, NULL, &job->blocked);
	job->n_works++;
}

static void job_done(struct worker_job *job_)
{
	struct job *job = CONTAINER_OF(job_, struct job, job);

	ck_assert_uint_eq(job->n_works, job->n_dones + 1);
	job->n_dones++;
	job->order = ++n_done;
	if (job->next)
		must(workers_submit(host.workers, &job->next->job));
	if (n_done == n_wanted)
		loop_stop(loop);
}

static struct job job_new(void)
{
	return (struct job){.job = {.work = job_work, .done = job_done}};
}

static void deadline_dispatch(struct loop_source *source, uint32_t events)
{
	ck_abort_msg("%u of %u jobs done in %d seconds", n_done, n_wanted, DEADLINE);
}

/* Runs the loop until `n` jobs are done. */
static void wait_for(unsigned n)
{
	const struct itimerspec deadline = {.it_value.tv_sec = DEADLINE};
	struct loop_source timer = {.dispatch = deadline_dispatch};

	n_wanted = n;
	timer.fd = (int)must_call(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
	must_call(timerfd_settime(timer.fd, 0, &deadline, NULL));
	must(loop_add(loop, &timer, EPOLLIN));
	if (n_done < n)
		must(loop_run(loop));
	loop_remove(loop, &timer);
	close(timer.fd);
	ck_assert_uint_eq(n_done, n);
}

/* Waits, not for ever, until `n` have posted. */
static void wait_posts(sem_t *semaphore, unsigned n)
{
	struct timespec deadline;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += DEADLINE;
	for (unsigned i = 0; i < n; i++)
		ck_assert_msg(sem_timedwait(semaphore, &deadline) == 0, "%u of %u started", i, n);
}

START_TEST(test_workers_job_runs_on_another_thread_and_is_done_on_the_loop)
{
	struct job job = job_new();

	must(workers_submit(host.workers, &job.job));
	ck_assert_uint_eq(job.n_dones, 0);
	wait_for(1);
	ck_assert(!pthread_equal(job.thread, pthread_self()));
}
END_TEST

START_TEST(test_workers_thread_has_the_loops_signals_blocked)
{
	struct job job = job_new();
	sigset_t mine;

	must(workers_submit(host.workers, &job.job));
	wait_for(1);
	ck_assert(sigismember(&job.blocked, SIGTERM));
	ck_assert(sigismember(&job.blocked, SIGINT));
	ck_assert(sigismember(&job.blocked, SIGHUP));
	pthread_sigmask(SIG_SETMASK, NULL, &mine);
	ck_assert(!sigismember(&mine, SIGTERM));
}
END_TEST

START_TEST(test_workers_many_jobs_are_each_done_once)
{
	struct job jobs[MANY];

	for (int i = 0; i < MANY; i++) {
		jobs[i] = job_new();
		must(workers_submit(host.workers, &jobs[i].job));
	}
	wait_for(MANY);
	for (int i = 0; i < MANY; i++)
		ck_assert_uint_eq(jobs[i].n_dones, 1);
}
END_TEST

START_TEST(test_workers_job_that_waits_does_not_hold_up_another)
{
	struct job slow = job_new();
	struct job quick = job_new();
	sem_t started, wait;

	sem_init(&started, 0, 0);
	sem_init(&wait, 0, 0);
	slow.started = &started;
	slow.wait = &wait;
	must(workers_submit(host.workers, &slow.job));
	wait_posts(&started, 1);
	must(workers_submit(host.workers, &quick.job));
	wait_for(1);
	ck_assert_uint_eq(quick.order, 1);
	ck_assert_uint_eq(slow.n_dones, 0);
	sem_post(&wait);
	wait_for(2);
	sem_destroy(&wait);
	sem_destroy(&started);
}
END_TEST

/* Each of the four waits until all four run: with fewer threads they never do. */
static void expect_four_at_once(void)
{
	struct job jobs[THREADS];
	unsigned before = n_done;
	sem_t started, wait;

	sem_init(&started, 0, 0);
	sem_init(&wait, 0, 0);
	for (int i = 0; i < THREADS; i++) {
		jobs[i] = job_new();
		jobs[i].started = &started;
		jobs[i].wait = &wait;
		must(workers_submit(host.workers, &jobs[i].job));
	}
	wait_posts(&started, THREADS);
	for (int i = 0; i < THREADS; i++)
		sem_post(&wait);
	wait_for(before + THREADS);
	sem_destroy(&wait);
	sem_destroy(&started);
}

START_TEST(test_workers_four_jobs_run_at_once)
{
	expect_four_at_once();
}
END_TEST

START_TEST(test_workers_four_jobs_after_an_idle_thread_run_at_once)
{
	struct job first = job_new();

	must(workers_submit(host.workers, &first.job));
	wait_for(1);
	for (int i = 0; i < 20; i++)
		expect_four_at_once();
}
END_TEST

START_TEST(test_workers_more_jobs_than_threads_wait_their_turn)
{
	struct job jobs[THREADS + 1];
	sem_t wait;

	sem_init(&wait, 0, 0);
	for (int i = 0; i < THREADS + 1; i++) {
		jobs[i] = job_new();
		jobs[i].wait = i < THREADS ? &wait : NULL;
		must(workers_submit(host.workers, &jobs[i].job));
	}
	for (int i = 0; i < THREADS; i++)
		sem_post(&wait);
	wait_for(THREADS + 1);
	ck_assert_uint_eq(jobs[THREADS].n_dones, 1);
	sem_destroy(&wait);
}
END_TEST

START_TEST(test_workers_job_submitted_by_done_runs)
{
	struct job first = job_new();
	struct job second = job_new();

	first.next = &second;
	must(workers_submit(host.workers, &first.job));
	wait_for(2);
	ck_assert_uint_eq(second.order, 2);
}
END_TEST

START_TEST(test_workers_job_can_be_submitted_again)
{
	struct job job = job_new();

	for (unsigned i = 1; i <= 3; i++) {
		must(workers_submit(host.workers, &job.job));
		wait_for(i);
	}
	ck_assert_uint_eq(job.n_works, 3);
}
END_TEST

/* A system call that nothing but a signal ends. */
static void sleep_work(struct worker_job *job_)
{
	struct job *job = CONTAINER_OF(job_, struct job, job);

	sem_post(job->started);
	while (!job->job.is_interrupted)
		ck_assert(pause() == -1 && errno == EINTR);
	job->n_works++;
}

START_TEST(test_workers_interrupt_ends_what_sleeps_and_nothing_else)
{
	static struct job jobs[MANY];
	sem_t started;

	must_call(sem_init(&started, 0, 0));
	for (int i = 0; i < MANY; i++) {
		jobs[i] = job_new();
		jobs[i].job.work = sleep_work;
		jobs[i].started = &started;
		must(workers_submit(host.sleepers, &jobs[i].job));
	}
	wait_posts(&started, MANY);
	for (int i = 0; i < MANY; i += 2)
		workers_interrupt(host.sleepers, &jobs[i].job);
	wait_for(MANY / 2);
	for (int i = 0; i < MANY; i++)
		ck_assert_uint_eq(jobs[i].n_dones, i % 2 == 0);
	for (int i = 1; i < MANY; i += 2)
		workers_interrupt(host.sleepers, &jobs[i].job);
	wait_for(MANY);
}
END_TEST

/* The signal may come before the sleep: here as often as not. */
START_TEST(test_workers_interrupt_at_any_time_ends_the_job)
{
	sem_t started;

	must_call(sem_init(&started, 0, 0));
	for (unsigned i = 1; i <= MANY; i++) {
		struct job job = job_new();

		job.job.work = sleep_work;
		job.started = &started;
		must(workers_submit(host.sleepers, &job.job));
		wait_posts(&started, i % 2);
		workers_interrupt(host.sleepers, &job.job);
		wait_for(i);
	}
}
END_TEST

START_TEST(test_workers_free_interrupts_what_sleeps)
{
	struct job job = job_new();
	sem_t started;

	must_call(sem_init(&started, 0, 0));
	job.job.work = sleep_work;
	job.started = &started;
	must(workers_submit(host.sleepers, &job.job));
	wait_posts(&started, 1);
	host_stop(&host);
	ck_assert_uint_eq(job.n_dones, 1);
}
END_TEST

START_TEST(test_workers_free_does_what_was_submitted)
{
	struct job jobs[THREADS * 2];

	for (int i = 0; i < THREADS * 2; i++) {
		jobs[i] = job_new();
		must(workers_submit(host.workers, &jobs[i].job));
	}
	host_stop(&host);
	for (int i = 0; i < THREADS * 2; i++)
		ck_assert_uint_eq(jobs[i].n_dones, 1);
}
END_TEST

START_TEST(test_workers_free_of_nothing_is_nothing)
{
	workers_free(NULL);
	host_stop(&host);
	ck_assert_ptr_null(host.workers);
	host_stop(&host);
}
END_TEST

START_TEST(test_workers_new_without_descriptors_fails)
{
	struct workers *workers = NULL;

	fixture_limit_descriptors(0);
	must_fail(workers_new(loop, THREADS, &workers), EMFILE);
	ck_assert_ptr_null(workers);
}
END_TEST

/* A user other than root with no process left to its name; glibc changes every thread's user. */
START_TEST(test_workers_submit_without_threads_eagain)
{
	struct job job = job_new();
	struct rlimit before, none;

	fixture_drop_privileges();
	must_call(getrlimit(RLIMIT_NPROC, &before));
	none = (struct rlimit){.rlim_max = before.rlim_max};
	must_call(setrlimit(RLIMIT_NPROC, &none));
	must_fail(workers_submit(host.workers, &job.job), EAGAIN);
	must_call(setrlimit(RLIMIT_NPROC, &before));
	ck_assert_uint_eq(job.n_works, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workers");

	suite_add(suite, "jobs",
		  (const TTest *const[]){
			  test_workers_job_runs_on_another_thread_and_is_done_on_the_loop,
			  test_workers_thread_has_the_loops_signals_blocked,
			  test_workers_many_jobs_are_each_done_once,
			  test_workers_job_submitted_by_done_runs,
			  test_workers_job_can_be_submitted_again,
			  NULL,
		  });
	suite_add(suite, "threads",
		  (const TTest *const[]){
			  test_workers_job_that_waits_does_not_hold_up_another,
			  test_workers_four_jobs_run_at_once,
			  test_workers_four_jobs_after_an_idle_thread_run_at_once,
			  test_workers_more_jobs_than_threads_wait_their_turn,
			  test_workers_submit_without_threads_eagain,
			  test_workers_interrupt_ends_what_sleeps_and_nothing_else,
			  test_workers_interrupt_at_any_time_ends_the_job,
			  NULL,
		  });
	suite_add(suite, "life",
		  (const TTest *const[]){
			  test_workers_free_does_what_was_submitted,
			  test_workers_free_interrupts_what_sleeps,
			  test_workers_free_of_nothing_is_nothing,
			  test_workers_new_without_descriptors_fails,
			  NULL,
		  });
	return suite_run(suite);
}
