/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop's tasks. Each runs once and soon: before the next source is dispatched or, if it
 * has yielded, after all sources that are ready.
 */
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "tests/unit/fixture.h"
#include "tests/unit/probe.h"

START_TEST(test_loop_tasks_deferred_twice_runs_once)
{
	struct probe probe = probe_task(NULL);

	loop_defer(loop, &probe.task);
	loop_defer(loop, &probe.task);
	ck_assert_uint_eq(probe.n, 0);
	loop_run_tasks(loop);
	loop_run_tasks(loop);
	ck_assert_uint_eq(probe.n, 1);
}
END_TEST

START_TEST(test_loop_tasks_deferred_after_its_run_runs_again)
{
	struct probe probe = probe_task(NULL);

	loop_defer(loop, &probe.task);
	loop_run_tasks(loop);
	loop_defer(loop, &probe.task);
	loop_run_tasks(loop);
	ck_assert_uint_eq(probe.n, 2);
}
END_TEST

START_TEST(test_loop_tasks_cancelled_does_not_run)
{
	struct probe cancelled = probe_task(NULL);
	struct probe kept = probe_task(NULL);

	loop_defer(loop, &cancelled.task);
	loop_defer(loop, &kept.task);
	loop_cancel(loop, &cancelled.task);
	loop_run_tasks(loop);
	ck_assert_uint_eq(cancelled.n, 0);
	ck_assert_uint_eq(kept.n, 1);
}
END_TEST

START_TEST(test_loop_tasks_cancel_of_idle_leaves_others)
{
	struct probe idle = probe_task(NULL);
	struct probe queued = probe_task(NULL);

	loop_defer(loop, &queued.task);
	loop_cancel(loop, &idle.task);
	loop_run_tasks(loop);
	loop_cancel(loop, &queued.task);
	ck_assert_uint_eq(queued.n, 1);
}
END_TEST

static struct probe *order[3];
static int n_order;

static void then_note(struct probe *probe)
{
	order[n_order++] = probe;
}

START_TEST(test_loop_tasks_run_in_order)
{
	struct probe probes[3] = {probe_task(then_note), probe_task(then_note),
				  probe_task(then_note)};

	for (int i = 0; i < 3; i++)
		loop_defer(loop, &probes[i].task);
	loop_run_tasks(loop);
	for (int i = 0; i < 3; i++)
		ck_assert_ptr_eq(order[i], &probes[i]);
}
END_TEST

START_TEST(test_loop_tasks_deferred_again_keeps_its_place)
{
	struct probe first = probe_task(then_note);
	struct probe second = probe_task(then_note);

	loop_defer(loop, &first.task);
	loop_defer(loop, &second.task);
	loop_defer(loop, &first.task);
	loop_run_tasks(loop);
	ck_assert_int_eq(n_order, 2);
	ck_assert_ptr_eq(order[0], &first);
	ck_assert_ptr_eq(order[1], &second);
}
END_TEST

START_TEST(test_loop_tasks_deferred_by_a_task_run_as_well)
{
	struct probe second = probe_task(NULL);
	struct probe first = probe_task(probe_then_defer_other);

	first.other = &second;
	loop_defer(loop, &first.task);
	loop_run_tasks(loop);
	ck_assert_uint_eq(second.n, 1);
}
END_TEST

static void then_defer_self(struct probe *probe)
{
	if (probe->n < probe->limit)
		loop_defer(loop, &probe->task);
}

START_TEST(test_loop_tasks_deferring_itself_runs_again)
{
	struct probe probe = probe_task(then_defer_self);

	probe.limit = 3;
	loop_defer(loop, &probe.task);
	loop_run_tasks(loop);
	ck_assert_uint_eq(probe.n, 3);
}
END_TEST

static void then_cancel_other(struct probe *probe)
{
	loop_cancel(loop, &probe->other->task);
}

START_TEST(test_loop_tasks_cancelled_by_a_task_does_not_run)
{
	struct probe second = probe_task(NULL);
	struct probe first = probe_task(then_cancel_other);

	first.other = &second;
	loop_defer(loop, &first.task);
	loop_defer(loop, &second.task);
	loop_run_tasks(loop);
	ck_assert_uint_eq(second.n, 0);
}
END_TEST

static void then_free_self(struct probe *probe)
{
	probe->other->n++;
	free(probe);
}

START_TEST(test_loop_tasks_freed_by_its_run_is_not_touched)
{
	struct probe *probe = malloc(sizeof(*probe));
	struct probe counter = {0};

	*probe = probe_task(then_free_self);
	probe->other = &counter;
	loop_defer(loop, &probe->task);
	loop_run_tasks(loop);
	ck_assert_uint_eq(counter.n, 1);
}
END_TEST

START_TEST(test_loop_tasks_deferred_before_run_are_run_first)
{
	struct probe source = probe_source(1, probe_then_stop);
	struct probe task = probe_task(NULL);

	probe_add(&source, EPOLLIN);
	loop_defer(loop, &task.task);
	must(loop_run(loop));
	ck_assert_str_eq(probe_trace, "ts");
	probe_fini(&source);
}
END_TEST

START_TEST(test_loop_tasks_stop_in_a_first_task_ends_run)
{
	struct probe task = probe_task(probe_then_stop);

	loop_defer(loop, &task.task);
	must(loop_run(loop));
	ck_assert_uint_eq(task.n, 1);
}
END_TEST

START_TEST(test_loop_tasks_of_a_source_run_before_the_next_source)
{
	struct probe task = probe_task(probe_then_stop_at_limit);
	struct probe a = probe_source(1, probe_then_defer_other);
	struct probe b = probe_source(1, probe_then_defer_other);

	task.limit = 2;
	a.other = &task;
	b.other = &task;
	probe_add(&a, EPOLLIN | EPOLLET);
	probe_add(&b, EPOLLIN | EPOLLET);
	must(loop_run(loop));
	ck_assert_str_eq(probe_trace, "stst");
	probe_fini(&a);
	probe_fini(&b);
}
END_TEST

static void then_yield_self(struct probe *probe)
{
	if (probe->n == probe->limit)
		loop_stop(loop);
	else
		loop_yield(loop, &probe->task);
}

START_TEST(test_loop_tasks_yielding_lets_sources_be_told_between)
{
	struct probe task = probe_task(then_yield_self);
	struct probe source = probe_source(1, NULL);

	task.limit = 3;
	probe_add(&source, EPOLLIN);
	loop_yield(loop, &task.task);
	must(loop_run(loop));
	ck_assert_str_eq(probe_trace, "ststst");
	probe_fini(&source);
}
END_TEST

START_TEST(test_loop_tasks_yielding_is_not_kept_by_idle_sources)
{
	struct probe task = probe_task(then_yield_self);
	struct probe source = probe_source(0, NULL);

	task.limit = 3;
	probe_add(&source, EPOLLIN);
	loop_yield(loop, &task.task);
	loop_yield(loop, &task.task);
	must(loop_run(loop));
	ck_assert_str_eq(probe_trace, "ttt");
	probe_fini(&source);
}
END_TEST

START_TEST(test_loop_tasks_yielded_can_be_cancelled_and_deferred)
{
	struct probe task = probe_task(NULL);
	struct probe other = probe_task(probe_then_stop);

	loop_yield(loop, &task.task);
	loop_yield(loop, &other.task);
	loop_run_tasks(loop);
	ck_assert_str_eq(probe_trace, "");
	loop_cancel(loop, &task.task);
	must(loop_run(loop));
	ck_assert_uint_eq(task.n, 0);
	ck_assert_uint_eq(other.n, 1);
	loop_defer(loop, &task.task);
	loop_run_tasks(loop);
	ck_assert_uint_eq(task.n, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loop_tasks");

	suite_add(suite, "tasks",
		  (const TTest *const[]){
			  test_loop_tasks_deferred_twice_runs_once,
			  test_loop_tasks_deferred_after_its_run_runs_again,
			  test_loop_tasks_cancelled_does_not_run,
			  test_loop_tasks_cancel_of_idle_leaves_others,
			  test_loop_tasks_run_in_order,
			  test_loop_tasks_deferred_again_keeps_its_place,
			  test_loop_tasks_deferred_by_a_task_run_as_well,
			  test_loop_tasks_deferring_itself_runs_again,
			  test_loop_tasks_cancelled_by_a_task_does_not_run,
			  test_loop_tasks_freed_by_its_run_is_not_touched,
			  test_loop_tasks_deferred_before_run_are_run_first,
			  test_loop_tasks_stop_in_a_first_task_ends_run,
			  test_loop_tasks_of_a_source_run_before_the_next_source,
			  test_loop_tasks_yielding_lets_sources_be_told_between,
			  test_loop_tasks_yielding_is_not_kept_by_idle_sources,
			  test_loop_tasks_yielded_can_be_cancelled_and_deferred,
			  NULL,
		  });
	return suite_run(suite);
}
