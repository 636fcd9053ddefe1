/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which deaths of daemons are followed: from outside, by a crash, by a request, and before they
 * serve.
 */
#include <signal.h>
#include <unistd.h>

#include "fs/supervisor.h"
#include "lib/base/state.h"
#include "lib/channel/journal.h"
#include "tests/unit/fixture.h"
#include "tests/unit/fs/supervised.h"

enum {
	STATUS = 7,
	MANY = 25,
	SOME = 5,
	TOO_MANY = 10, /* DEATHS_MOST */
	REQUEST = 4711,
};

/* What the daemons of this test do, and the one that serves; set before start(). */
static int death, last;

static const int fatal[] = {SIGKILL, SIGSEGV, SIGABRT};

static int serve_short(const struct options *options, struct state *state, bool is_next)
{
	see(state, is_next);
	if (seen->n == MANY)
		return STATUS;
	if (death == 0)
		supervisor_ready();
	raise(death == 0 ? SIGKILL : death);
	return 1;
}

START_TEST(test_supervisor_daemon_killed_often_from_outside_goes_on)
{
	death = 0;
	must_exit(start(serve_short, true), STATUS);
}
END_TEST

START_TEST(test_supervisor_daemon_crashes_often_gives_up)
{
	death = fatal[_i];
	must_die(start(serve_short, true), death);
	ck_assert_int_eq(seen->n, TOO_MANY);
}
END_TEST

/* The first daemon is killed, and those that follow lack something, or hang. */
static int serve_unready(const struct options *options, struct state *state, bool is_next)
{
	see(state, is_next);
	if (!is_next) {
		supervisor_ready();
		raise(SIGKILL);
	}
	if (seen->n == last)
		return STATUS;
	if (death == SIGSTOP)
		raise(SIGSTOP);
	return SUPERVISOR_AGAIN;
}

static pid_t start_unready(int signal, int n)
{
	death = signal;
	last = n;
	return start(serve_unready, true);
}

START_TEST(test_supervisor_next_lacks_something_another_one_tries)
{
	must_exit(start_unready(0, SOME), STATUS);
	ck_assert_int_eq(seen->n, SOME);
}
END_TEST

START_TEST(test_supervisor_none_can_begin_gives_up)
{
	must_exit(start_unready(0, MANY), 1);
	ck_assert_int_eq(seen->n_next, TOO_MANY);
}
END_TEST

START_TEST(test_supervisor_next_hangs_is_killed)
{
	must_exit(start_unready(SIGSTOP, 3), STATUS);
	ck_assert_int_eq(seen->n, 3);
}
END_TEST

/* Only a daemon that has not served yet can leave it to another one. */
static int serve_then_fail(const struct options *options, struct state *state, bool is_next)
{
	see(state, is_next);
	supervisor_ready();
	return SUPERVISOR_AGAIN;
}

START_TEST(test_supervisor_daemon_that_serves_ends_status_is_the_same)
{
	must_exit(start(serve_then_fail, true), SUPERVISOR_AGAIN);
	ck_assert_int_eq(seen->n, 1);
}
END_TEST

/* Each daemon dies with a request in hand, which the kernel has sent again to all but the first. */
static int serve_poison(const struct options *options, struct state *state, bool is_next)
{
	struct journal *journal = state_area(state, STATE_JOURNAL);
	const struct supervisor_area *area = supervisor_area(state);

	see(state, is_next);
	if (area->poison.deaths >= SUPERVISOR_POISON) {
		ck_assert_uint_eq(area->poison.request, REQUEST);
		seen->poisoned = seen->n;
		return STATUS;
	}
	supervisor_ready();
	journal->request = (seen->n == 1 ? REQUEST + 2 : REQUEST) | (uint64_t)is_next << 63;
	raise(SIGSEGV);
	return 1;
}

START_TEST(test_supervisor_request_kills_three_daemons_is_poison)
{
	must_exit(start(serve_poison, true), STATUS);
	ck_assert_int_eq(seen->poisoned, 5);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("supervisor_deaths");

	suite_add_loop(suite, "crashes",
		       (const TTest *[]){test_supervisor_daemon_crashes_often_gives_up, NULL},
		       sizeof(fatal) / sizeof(*fatal));
	suite_add(suite, "deaths",
		  (const TTest *[]){test_supervisor_daemon_killed_often_from_outside_goes_on,
				    test_supervisor_next_lacks_something_another_one_tries,
				    test_supervisor_none_can_begin_gives_up,
				    test_supervisor_next_hangs_is_killed,
				    test_supervisor_daemon_that_serves_ends_status_is_the_same,
				    test_supervisor_request_kills_three_daemons_is_poison, NULL});
	return suite_run(suite);
}
