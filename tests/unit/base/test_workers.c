// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workers. A task runs on a thread, and its done() on the loop's thread. No task is lost, and
 * none is done twice. A task that waits does so on a semaphore that the test posts.
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

enum { MANY = 200, THREADS = 4, DEADLINE = 20 };

struct task {
	struct worker_task task;
	pthread_t thread; /* the thread that work() ran on */
	sigset_t blocked; /* signals blocked on that thread */
	unsigned n_works, n_dones;
	unsigned order;        /* its place in the order of done(), from 1 */
	sem_t *started, *wait; /* NULL: not used */
	struct task *next;     /* submitted by done() */
};

static unsigned n_done, n_wanted;

static void task_work(struct worker_task *task_)
{
	struct task *task = CONTAINER_OF(task_, struct task, task);

	if (task->started)
		sem_post(task->started);
	if (task->wait)
		sem_wait(task->wait);
	task->thread = pthread_self();
	pthread_sigmask(SIG_SETMASK, NULL, &task->blocked);
	task->n_works++;
}

static void task_done(struct worker_task *task_)
{
	struct task *task = CONTAINER_OF(task_, struct task, task);

	ck_assert_uint_eq(task->n_works, task->n_dones + 1);
	task->n_dones++;
	task->order = ++n_done;
	if (task->next)
		must(workers_submit(host.workers, &task->next->task));
	if (n_done == n_wanted)
		loop_stop(loop);
}

static struct task task_new(void)
{
	return (struct task){.task = {.work = task_work, .done = task_done}};
}

static void deadline_dispatch(struct loop_source *source, uint32_t events)
{
	ck_abort_msg("%u of %u tasks done in %d seconds", n_done, n_wanted, DEADLINE);
}

/* Runs the loop until `n` tasks are done. */
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

/* Waits for `n` posts, but not for ever. */
static void wait_posts(sem_t *semaphore, unsigned n)
{
	struct timespec deadline;

	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += DEADLINE;
	for (unsigned i = 0; i < n; i++)
		ck_assert_msg(sem_timedwait(semaphore, &deadline) == 0, "%u of %u started", i, n);
}

START_TEST(test_workers_task_runs_on_another_thread_and_is_done_on_the_loop)
{
	struct task task = task_new();

	must(workers_submit(host.workers, &task.task));
	ck_assert_uint_eq(task.n_dones, 0);
	wait_for(1);
	ck_assert(!pthread_equal(task.thread, pthread_self()));
}
END_TEST

START_TEST(test_workers_thread_has_the_loops_signals_blocked)
{
	struct task task = task_new();
	sigset_t mine;

	must(workers_submit(host.workers, &task.task));
	wait_for(1);
	ck_assert(sigismember(&task.blocked, SIGTERM));
	ck_assert(sigismember(&task.blocked, SIGINT));
	ck_assert(sigismember(&task.blocked, SIGHUP));
	pthread_sigmask(SIG_SETMASK, NULL, &mine);
	ck_assert(!sigismember(&mine, SIGTERM));
}
END_TEST

START_TEST(test_workers_many_tasks_are_each_done_once)
{
	struct task tasks[MANY];

	for (int i = 0; i < MANY; i++) {
		tasks[i] = task_new();
		must(workers_submit(host.workers, &tasks[i].task));
	}
	wait_for(MANY);
	for (int i = 0; i < MANY; i++)
		ck_assert_uint_eq(tasks[i].n_dones, 1);
}
END_TEST

START_TEST(test_workers_task_that_waits_does_not_hold_up_another)
{
	struct task slow = task_new();
	struct task quick = task_new();
	sem_t started, wait;

	sem_init(&started, 0, 0);
	sem_init(&wait, 0, 0);
	slow.started = &started;
	slow.wait = &wait;
	must(workers_submit(host.workers, &slow.task));
	wait_posts(&started, 1);
	must(workers_submit(host.workers, &quick.task));
	wait_for(1);
	ck_assert_uint_eq(quick.order, 1);
	ck_assert_uint_eq(slow.n_dones, 0);
	sem_post(&wait);
	wait_for(2);
	sem_destroy(&wait);
	sem_destroy(&started);
}
END_TEST

/* Runs four tasks that wait until all four have started. With fewer threads they never would. */
static void expect_four_at_once(void)
{
	struct task tasks[THREADS];
	unsigned before = n_done;
	sem_t started, wait;

	sem_init(&started, 0, 0);
	sem_init(&wait, 0, 0);
	for (int i = 0; i < THREADS; i++) {
		tasks[i] = task_new();
		tasks[i].started = &started;
		tasks[i].wait = &wait;
		tasks[i].task.owner = (unsigned)i;
		must(workers_submit(host.workers, &tasks[i].task));
	}
	wait_posts(&started, THREADS);
	for (int i = 0; i < THREADS; i++)
		sem_post(&wait);
	wait_for(before + THREADS);
	sem_destroy(&wait);
	sem_destroy(&started);
}

START_TEST(test_workers_four_tasks_run_at_once)
{
	expect_four_at_once();
}
END_TEST

START_TEST(test_workers_four_tasks_after_an_idle_thread_run_at_once)
{
	struct task first = task_new();

	must(workers_submit(host.workers, &first.task));
	wait_for(1);
	for (int i = 0; i < 20; i++)
		expect_four_at_once();
}
END_TEST

START_TEST(test_workers_task_submitted_by_done_runs)
{
	struct task first = task_new();
	struct task second = task_new();

	first.next = &second;
	must(workers_submit(host.workers, &first.task));
	wait_for(2);
	ck_assert_uint_eq(second.order, 2);
}
END_TEST

START_TEST(test_workers_task_can_be_submitted_again)
{
	struct task task = task_new();

	for (unsigned i = 1; i <= 3; i++) {
		must(workers_submit(host.workers, &task.task));
		wait_for(i);
	}
	ck_assert_uint_eq(task.n_works, 3);
}
END_TEST

/* Sleeps in a system call that only a signal ends, until the task is interrupted. */
static void sleep_work(struct worker_task *task_)
{
	struct task *task = CONTAINER_OF(task_, struct task, task);

	sem_post(task->started);
	while (!task->task.is_interrupted)
		ck_assert(pause() == -1 && errno == EINTR);
	task->n_works++;
}

START_TEST(test_workers_interrupt_ends_what_sleeps_and_nothing_else)
{
	static struct task tasks[MANY];
	sem_t started;

	must_call(sem_init(&started, 0, 0));
	for (int i = 0; i < MANY; i++) {
		tasks[i] = task_new();
		tasks[i].task.work = sleep_work;
		tasks[i].started = &started;
		must(workers_submit(host.sleepers, &tasks[i].task));
	}
	wait_posts(&started, MANY);
	for (int i = 0; i < MANY; i += 2)
		workers_interrupt(host.sleepers, &tasks[i].task);
	wait_for(MANY / 2);
	for (int i = 0; i < MANY; i++)
		ck_assert_uint_eq(tasks[i].n_dones, i % 2 == 0);
	for (int i = 1; i < MANY; i += 2)
		workers_interrupt(host.sleepers, &tasks[i].task);
	wait_for(MANY);
}
END_TEST

/* The signal may come before the sleep: the test does not wait for half of the tasks to start. */
START_TEST(test_workers_interrupt_at_any_time_ends_the_task)
{
	sem_t started;

	must_call(sem_init(&started, 0, 0));
	for (unsigned i = 1; i <= MANY; i++) {
		struct task task = task_new();

		task.task.work = sleep_work;
		task.started = &started;
		must(workers_submit(host.sleepers, &task.task));
		wait_posts(&started, i % 2);
		workers_interrupt(host.sleepers, &task.task);
		wait_for(i);
	}
}
END_TEST

START_TEST(test_workers_free_interrupts_what_sleeps)
{
	struct task task = task_new();
	sem_t started;

	must_call(sem_init(&started, 0, 0));
	task.task.work = sleep_work;
	task.started = &started;
	must(workers_submit(host.sleepers, &task.task));
	wait_posts(&started, 1);
	host_stop(&host);
	ck_assert_uint_eq(task.n_dones, 1);
}
END_TEST

START_TEST(test_workers_free_does_what_was_submitted)
{
	struct task tasks[THREADS * 2];

	for (int i = 0; i < THREADS * 2; i++) {
		tasks[i] = task_new();
		must(workers_submit(host.workers, &tasks[i].task));
	}
	host_stop(&host);
	for (int i = 0; i < THREADS * 2; i++)
		ck_assert_uint_eq(tasks[i].n_dones, 1);
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
	must_fail(workers_new(loop, THREADS, THREADS, &workers), EMFILE);
	ck_assert_ptr_null(workers);
}
END_TEST

/*
 * Runs as a user other than root, whose limit allows no further process. glibc's setresuid()
 * changes the user of all threads.
 */
START_TEST(test_workers_submit_without_threads_eagain)
{
	struct task task = task_new();
	struct rlimit before, none;

	fixture_drop_privileges();
	must_call(getrlimit(RLIMIT_NPROC, &before));
	none = (struct rlimit){.rlim_max = before.rlim_max};
	must_call(setrlimit(RLIMIT_NPROC, &none));
	must_fail(workers_submit(host.workers, &task.task), EAGAIN);
	must_call(setrlimit(RLIMIT_NPROC, &before));
	ck_assert_uint_eq(task.n_works, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workers");

	suite_add(suite, "tasks",
		  (const TTest *const[]){
			  test_workers_task_runs_on_another_thread_and_is_done_on_the_loop,
			  test_workers_thread_has_the_loops_signals_blocked,
			  test_workers_many_tasks_are_each_done_once,
			  test_workers_task_submitted_by_done_runs,
			  test_workers_task_can_be_submitted_again,
			  NULL,
		  });
	suite_add(suite, "threads",
		  (const TTest *const[]){
			  test_workers_task_that_waits_does_not_hold_up_another,
			  test_workers_four_tasks_run_at_once,
			  test_workers_four_tasks_after_an_idle_thread_run_at_once,
			  test_workers_submit_without_threads_eagain,
			  test_workers_interrupt_ends_what_sleeps_and_nothing_else,
			  test_workers_interrupt_at_any_time_ends_the_task,
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
