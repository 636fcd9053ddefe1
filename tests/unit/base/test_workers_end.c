// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The workers when the process is about to end. workers_leave() waits for a task that heeds the
 * interrupt, and leaves behind a task that does not.
 */
#include <sched.h>
#include <semaphore.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/workers.h"
#include "tests/unit/fixture.h"

struct task {
	struct worker_task task;
	sem_t started, wait;
	_Atomic bool is_through;
	unsigned n_dones;
};

static void sleep_work(struct worker_task *task_)
{
	struct task *task = CONTAINER_OF(task_, struct task, task);

	sem_post(&task->started);
	while (!task->task.is_interrupted)
		pause();
}

/* Ignores interrupts: after each signal it waits again. */
static void insist(struct worker_task *task_)
{
	struct task *task = CONTAINER_OF(task_, struct task, task);

	sem_post(&task->started);
	while (sem_wait(&task->wait) < 0)
		continue;
	task->is_through = true;
}

static void task_done(struct worker_task *task)
{
	CONTAINER_OF(task, struct task, task)->n_dones++;
}

static void start(struct task *task, void (*work)(struct worker_task *task))
{
	*task = (struct task){.task = {.work = work, .done = task_done}};
	must_call(sem_init(&task->started, 0, 0));
	must_call(sem_init(&task->wait, 0, 0));
	must(workers_submit(host.workers, &task->task));
	while (sem_wait(&task->started) < 0)
		continue;
}

START_TEST(test_workers_leave_interrupts_what_sleeps)
{
	struct task task;

	start(&task, sleep_work);
	workers_leave(TAKE_PTR(host.workers), 20000);
	ck_assert_uint_eq(task.n_dones, 1);
}
END_TEST

START_TEST(test_workers_leave_leaves_alone_what_heeds_no_interrupt)
{
	/* Static, because the thread still uses them when the test is over. */
	static struct workers *left;
	static struct task stubborn;
	struct task other;

	left = host.workers;
	start(&stubborn, insist);
	start(&other, sleep_work);
	host.workers = NULL;
	workers_leave(left, 500);
	ck_assert_uint_eq(other.n_dones, 1);
	ck_assert(!stubborn.is_through);
	must_call(sem_post(&stubborn.wait));
	while (!stubborn.is_through)
		sched_yield();
	ck_assert_uint_eq(stubborn.n_dones, 0);
}
END_TEST

START_TEST(test_workers_leave_of_nothing_is_nothing)
{
	workers_leave(NULL, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("workers_end");

	suite_add(suite, "end",
		  (const TTest *const[]){
			  test_workers_leave_interrupts_what_sleeps,
			  test_workers_leave_leaves_alone_what_heeds_no_interrupt,
			  test_workers_leave_of_nothing_is_nothing,
			  NULL,
		  });
	return suite_run(suite);
}
