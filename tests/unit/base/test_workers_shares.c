// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whose task gets a thread, and when: one owner's tasks never keep another owner's waiting.
 */
#include <semaphore.h>

#include "lib/base/cleanup.h"
#include "lib/base/workers.h"
#include "tests/unit/fixture.h"

enum { THREADS = 8, SHARE = 2, ANNA = 1, BERT = 2 };

struct task {
	struct worker_task task;
	sem_t *wait; /* NULL: the task ends at once */
	bool is_done;
};

static struct workers *workers;
static sem_t gate;

static void task_work(struct worker_task *task)
{
	sem_t *wait = CONTAINER_OF(task, struct task, task)->wait;

	while (wait && sem_wait(wait) < 0)
		continue;
}

static void task_done(struct worker_task *task)
{
	CONTAINER_OF(task, struct task, task)->is_done = true;
	loop_stop(loop);
}

static int submit(struct task *task, unsigned owner, sem_t *wait)
{
	*task = (struct task){.task = {.work = task_work, .done = task_done, .owner = owner},
			      .wait = wait};
	return workers_submit(workers, &task->task);
}

static void await(const struct task *task)
{
	while (!task->is_done)
		must(loop_run(loop));
}

static void start(unsigned n_threads, unsigned share)
{
	must_call(sem_init(&gate, 0, 0));
	must(workers_new(loop, n_threads, share, &workers));
}

static void end(unsigned n_posts)
{
	while (n_posts-- > 0)
		sem_post(&gate);
	workers_free(TAKE_PTR(workers));
	sem_destroy(&gate);
}

START_TEST(test_workers_shares_other_owners_task_runs_beside_endless_ones)
{
	struct task slow[THREADS], other;

	start(THREADS, SHARE);
	for (int i = 0; i < THREADS; i++)
		must(submit(&slow[i], ANNA, &gate));
	must(submit(&other, BERT, NULL));
	await(&other);
	end(THREADS);
}
END_TEST

START_TEST(test_workers_shares_own_task_waits_for_own)
{
	struct task slow[SHARE], next, other;

	start(THREADS, SHARE);
	for (int i = 0; i < SHARE; i++)
		must(submit(&slow[i], ANNA, &gate));
	must(submit(&next, ANNA, NULL));
	must(submit(&other, BERT, NULL));
	await(&other);
	ck_assert(!next.is_done);
	sem_post(&gate);
	await(&next);
	end(SHARE - 1);
}
END_TEST

START_TEST(test_workers_shares_task_that_waits_can_be_taken_back)
{
	struct task slow[SHARE], next;

	start(THREADS, SHARE);
	for (int i = 0; i < SHARE; i++)
		must(submit(&slow[i], ANNA, &gate));
	must(submit(&next, ANNA, NULL));
	ck_assert(workers_cancel(workers, &next.task));
	end(SHARE);
	ck_assert(!next.is_done);
}
END_TEST

/* With WORKERS_AT_ONCE no task waits for another to end. A task that finds no thread is refused. */
START_TEST(test_workers_shares_at_once_without_thread_is_refused)
{
	struct task first, second;

	start(1, WORKERS_AT_ONCE);
	must(submit(&first, ANNA, &gate));
	must_fail(submit(&second, BERT, NULL), EAGAIN);
	end(1);
	ck_assert(first.is_done);
	ck_assert(!second.is_done);
}
END_TEST

/*
 * A task with a share of its own may have to wait even if there are free threads. Tasks without a
 * share of their own do not count against that share.
 */
START_TEST(test_workers_shares_task_with_share_waits_for_its_like)
{
	struct task first = {.wait = &gate}, next = {0}, free_one;

	start(THREADS, WORKERS_AT_ONCE);
	first.task = next.task = (struct worker_task){
		.work = task_work, .done = task_done, .owner = ANNA, .share = 1};
	must(workers_submit(workers, &first.task));
	must(workers_submit(workers, &next.task));
	must(submit(&free_one, ANNA, NULL));
	await(&free_one);
	ck_assert(!next.is_done);
	sem_post(&gate);
	await(&next);
	end(0);
}
END_TEST

/*
 * A user may take no more sleeping threads than are then left for all other users, so some are
 * always left.
 */
START_TEST(test_workers_shares_sleeping_threads_are_never_all_taken)
{
	static struct task tasks[HOST_SLEEPS_MAX];
	unsigned n = 0, n_before;

	must_call(sem_init(&gate, 0, 0));
	for (uid_t uid = 1; uid <= 5; uid++) {
		for (n_before = n;; n++) {
			tasks[n] = (struct task){.task = {.work = task_work, .done = task_done},
						 .wait = &gate};
			if (host_sleep(&host, host.sleepers, uid, &tasks[n].task) < 0)
				break;
		}
		ck_assert_uint_gt(n, n_before);
	}
	for (unsigned i = 0; i < n; i++)
		sem_post(&gate);
	for (unsigned i = 0; i < n; i++)
		await(&tasks[i]);
	for (unsigned i = 0; i < n; i++)
		host_slept(&host, tasks[i].task.owner);
	sem_destroy(&gate);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workers_shares");

	suite_add(suite, "shares",
		  (const TTest *const[]){
			  test_workers_shares_other_owners_task_runs_beside_endless_ones,
			  test_workers_shares_own_task_waits_for_own,
			  test_workers_shares_task_that_waits_can_be_taken_back,
			  test_workers_shares_at_once_without_thread_is_refused,
			  test_workers_shares_task_with_share_waits_for_its_like,
			  test_workers_shares_sleeping_threads_are_never_all_taken,
			  NULL,
		  });
	return suite_run(suite);
}
