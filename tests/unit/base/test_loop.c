/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event loop's sources: eventfds that are ready or not. To check that nothing happens, a test
 * counts turns with a source that is always ready.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "tests/unit/fixture.h"
#include "tests/unit/probe.h"

enum { MANY = 150 }; /* more than the loop takes from epoll at a time */

static void then_remove_other(struct probe *probe)
{
	loop_remove(loop, &probe->other->source);
}

static void then_remove_self(struct probe *probe)
{
	loop_remove(loop, &probe->source);
}

START_TEST(test_loop_ready_source_dispatches_with_events)
{
	struct probe probe = probe_source(1, probe_then_stop);

	probe_add(&probe, EPOLLIN);
	must(loop_run(loop));
	ck_assert_uint_eq(probe.n, 1);
	ck_assert_uint_eq(probe.events, EPOLLIN);
	probe_fini(&probe);
}
END_TEST

START_TEST(test_loop_idle_source_is_silent)
{
	struct probe idle = probe_source(0, NULL);
	struct probe ready = probe_source(1, probe_then_stop_at_limit);

	ready.limit = 5;
	probe_add(&idle, EPOLLIN);
	probe_add(&ready, EPOLLIN);
	must(loop_run(loop));
	ck_assert_uint_eq(idle.n, 0);
	probe_fini(&idle);
	probe_fini(&ready);
}
END_TEST

START_TEST(test_loop_level_triggered_dispatches_until_read)
{
	struct probe probe = probe_source(1, probe_then_stop_at_limit);

	probe.limit = 3;
	probe_add(&probe, EPOLLIN);
	must(loop_run(loop));
	ck_assert_uint_eq(probe.n, 3);
	probe_fini(&probe);
}
END_TEST

START_TEST(test_loop_edge_triggered_dispatches_once_an_edge)
{
	struct probe edge = probe_source(1, NULL);
	struct probe level = probe_source(1, probe_then_stop_at_limit);

	level.limit = 4;
	probe_add(&edge, EPOLLIN | EPOLLET);
	probe_add(&level, EPOLLIN);
	must(loop_run(loop));
	ck_assert_uint_eq(edge.n, 1);
	must_call(eventfd_write(edge.source.fd, 1));
	level.limit = 8;
	must(loop_run(loop));
	ck_assert_uint_eq(edge.n, 2);
	probe_fini(&edge);
	probe_fini(&level);
}
END_TEST

START_TEST(test_loop_add_of_added_changes_nothing)
{
	struct probe probe = probe_source(1, probe_then_stop);

	probe_add(&probe, EPOLLIN);
	must(loop_add(loop, &probe.source, EPOLLOUT));
	must(loop_run(loop));
	ck_assert_uint_eq(probe.events, EPOLLIN);
	probe_fini(&probe);
}
END_TEST

START_TEST(test_loop_add_of_closed_descriptor_ebadf)
{
	struct probe probe = {.source.fd = -1};

	must_fail(loop_add(loop, &probe.source, EPOLLIN), EBADF);
	ck_assert(!probe.source.is_added);
}
END_TEST

START_TEST(test_loop_add_of_regular_file_eperm)
{
	struct probe probe = {0};

	probe.source.fd = (int)must_call(open("/dev/shm/file", O_CREAT | O_RDWR, 0600));
	must_fail(loop_add(loop, &probe.source, EPOLLIN), EPERM);
	ck_assert(!probe.source.is_added);
	close(probe.source.fd);
}
END_TEST

START_TEST(test_loop_removed_source_is_silent)
{
	struct probe removed = probe_source(1, NULL);
	struct probe ready = probe_source(1, probe_then_stop_at_limit);

	ready.limit = 5;
	probe_add(&removed, EPOLLIN);
	probe_add(&ready, EPOLLIN);
	loop_remove(loop, &removed.source);
	must(loop_run(loop));
	ck_assert_uint_eq(removed.n, 0);
	ck_assert(!removed.source.is_added);
	probe_fini(&removed);
	probe_fini(&ready);
}
END_TEST

START_TEST(test_loop_removed_source_can_be_added_again)
{
	struct probe probe = probe_source(1, probe_then_stop);

	probe_add(&probe, EPOLLIN);
	loop_remove(loop, &probe.source);
	loop_remove(loop, &probe.source);
	probe_add(&probe, EPOLLIN);
	must(loop_run(loop));
	ck_assert_uint_eq(probe.n, 1);
	probe_fini(&probe);
}
END_TEST

START_TEST(test_loop_removal_during_batch_prevents_dispatch)
{
	struct probe a = probe_source(1, then_remove_other);
	struct probe b = probe_source(1, then_remove_other);
	struct probe stopper = probe_source(1, probe_then_stop_at_limit);

	a.other = &b;
	b.other = &a;
	stopper.limit = 3;
	probe_add(&a, EPOLLIN | EPOLLET);
	probe_add(&b, EPOLLIN | EPOLLET);
	probe_add(&stopper, EPOLLIN);
	must(loop_run(loop));
	ck_assert_uint_eq(a.n + b.n, 1);
	probe_fini(&a);
	probe_fini(&b);
	probe_fini(&stopper);
}
END_TEST

static struct probe *survivor;

static void then_free_other(struct probe *probe)
{
	if (!probe->other)
		return;
	survivor = probe;
	probe_fini(probe->other);
	free(TAKE_PTR(probe->other));
}

START_TEST(test_loop_source_freed_during_batch_is_not_touched)
{
	struct probe *probes[2] = {malloc(sizeof(struct probe)), malloc(sizeof(struct probe))};
	struct probe stopper = probe_source(1, probe_then_stop_at_limit);

	stopper.limit = 3;
	for (int i = 0; i < 2; i++) {
		*probes[i] = probe_source(1, then_free_other);
		probes[i]->other = probes[!i];
		probe_add(probes[i], EPOLLIN | EPOLLET);
	}
	probe_add(&stopper, EPOLLIN);
	must(loop_run(loop));
	ck_assert_uint_eq(strlen(probe_trace), 1 + stopper.n);
	ck_assert_uint_eq(survivor->n, 1);
	probe_fini(survivor);
	free(survivor);
	probe_fini(&stopper);
}
END_TEST

START_TEST(test_loop_source_that_removes_itself_is_told_once)
{
	struct probe probe = probe_source(1, then_remove_self);
	struct probe ready = probe_source(1, probe_then_stop_at_limit);

	ready.limit = 5;
	probe_add(&probe, EPOLLIN);
	probe_add(&ready, EPOLLIN);
	must(loop_run(loop));
	ck_assert_uint_eq(probe.n, 1);
	probe_fini(&probe);
	probe_fini(&ready);
}
END_TEST

static void then_remove_self_and_count(struct probe *probe)
{
	loop_remove(loop, &probe->source);
	if (++probe->other->n == MANY)
		loop_stop(loop);
}

START_TEST(test_loop_more_sources_than_a_batch_are_all_told)
{
	static struct probe probes[MANY];
	struct probe counter = {0};

	for (int i = 0; i < MANY; i++) {
		probes[i] = probe_source(1, then_remove_self_and_count);
		probes[i].other = &counter;
		probe_add(&probes[i], EPOLLIN);
	}
	must(loop_run(loop));
	for (int i = 0; i < MANY; i++) {
		ck_assert_uint_eq(probes[i].n, 1);
		probe_fini(&probes[i]);
	}
}
END_TEST

START_TEST(test_loop_stop_ends_run_after_present_handler)
{
	struct probe a = probe_source(1, probe_then_stop);
	struct probe b = probe_source(1, probe_then_stop);

	probe_add(&a, EPOLLIN);
	probe_add(&b, EPOLLIN);
	must(loop_run(loop));
	ck_assert_uint_eq(a.n + b.n, 1);
	probe_fini(&a);
	probe_fini(&b);
}
END_TEST

START_TEST(test_loop_run_after_stop_goes_on)
{
	struct probe probe = probe_source(1, probe_then_stop);

	probe_add(&probe, EPOLLIN);
	must(loop_run(loop));
	must(loop_run(loop));
	ck_assert_uint_eq(probe.n, 2);
	probe_fini(&probe);
}
END_TEST

static int alarm_fd;

static void alarm_rings(int signal)
{
	eventfd_write(alarm_fd, 1);
}

START_TEST(test_loop_signal_does_not_end_run)
{
	const struct sigaction action = {.sa_handler = alarm_rings};
	const struct itimerval soon = {.it_value.tv_usec = 20000};
	struct probe probe = probe_source(0, probe_then_stop);

	alarm_fd = probe.source.fd;
	must_call(sigaction(SIGALRM, &action, NULL));
	probe_add(&probe, EPOLLIN);
	must_call(setitimer(ITIMER_REAL, &soon, NULL));
	must(loop_run(loop));
	ck_assert_uint_eq(probe.n, 1);
	probe_fini(&probe);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loop");

	suite_add(suite, "sources",
		  (const TTest *const[]){
			  test_loop_ready_source_dispatches_with_events,
			  test_loop_idle_source_is_silent,
			  test_loop_level_triggered_dispatches_until_read,
			  test_loop_edge_triggered_dispatches_once_an_edge,
			  test_loop_add_of_added_changes_nothing,
			  test_loop_add_of_closed_descriptor_ebadf,
			  test_loop_add_of_regular_file_eperm,
			  NULL,
		  });
	suite_add(suite, "removal",
		  (const TTest *const[]){
			  test_loop_removed_source_is_silent,
			  test_loop_removed_source_can_be_added_again,
			  test_loop_removal_during_batch_prevents_dispatch,
			  test_loop_source_freed_during_batch_is_not_touched,
			  test_loop_source_that_removes_itself_is_told_once,
			  NULL,
		  });
	suite_add(suite, "run",
		  (const TTest *const[]){
			  test_loop_more_sources_than_a_batch_are_all_told,
			  test_loop_stop_ends_run_after_present_handler,
			  test_loop_run_after_stop_goes_on,
			  test_loop_signal_does_not_end_run,
			  NULL,
		  });
	return suite_run(suite);
}
