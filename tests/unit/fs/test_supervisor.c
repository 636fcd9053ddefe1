/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting a daemon, following it, and what passes between it and the supervisor. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/supervisor.h"
#include "lib/base/cleanup.h"
#include "lib/base/state.h"
#include "tests/unit/fixture.h"
#include "tests/unit/fs/supervised.h"

enum { STATUS = 7 };

/* What the daemons of this test do; set before start(). */
static int death;
/* The last daemon that waits for SIGHUP, and the one that reads the configuration. */
static int last, confirmed;

/* Waits for a signal, as a daemon that listens to them. */
static void wait_for_signal(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	seen->daemon = getpid();
	seen->signal = sigwaitinfo(&set, NULL);
}

static int serve_once(const struct options *options, struct state *state, bool is_next)
{
	see(state, is_next);
	ck_assert_str_eq(options->mount_point, "/m");
	ck_assert_int_eq(supervisor_area(state)->daemon, getpid());
	ck_assert_int_eq(supervisor_pid(), options->supervise == SUPERVISE_YES ? getppid() : 0);
	return STATUS;
}

START_TEST(test_supervisor_daemon_ends_status_is_the_same)
{
	must_exit(start(serve_once, _i), STATUS);
	ck_assert_int_eq(seen->n, 1);
	ck_assert_int_eq(seen->n_next, 0);
}
END_TEST

static const int fatal[] = {SIGKILL, SIGSEGV, SIGABRT, SIGTERM};

static int serve_nobody(const struct options *options, struct state *state, bool is_next)
{
	see(state, is_next);
	supervisor_area(state)->can_follow = false;
	raise(death);
	return STATUS;
}

START_TEST(test_supervisor_daemon_killed_early_ends_alike)
{
	death = fatal[_i];
	must_die(start(serve_nobody, true), death);
	ck_assert_int_eq(seen->n, 1);
}
END_TEST

static int serve_ending(const struct options *options, struct state *state, bool is_next)
{
	see(state, is_next);
	supervisor_area(state)->is_ended = true;
	raise(SIGKILL);
	return STATUS;
}

START_TEST(test_supervisor_daemon_killed_while_ending_ends_alike)
{
	must_die(start(serve_ending, true), SIGKILL);
	ck_assert_int_eq(seen->n, 1);
}
END_TEST

/* The first daemon leaves a descriptor, an object in the state, and a child. */
static int serve_two(const struct options *options, struct state *state, bool is_next)
{
	char byte = 0;
	int ends[2];
	pid_t child;

	see(state, is_next);
	if (!is_next) {
		must_call(pipe(ends));
		must_call(write(ends[1], "x", 1));
		seen->fd = ends[0];
		seen->state_fd = state_fd(state);
		must(state_table_reserve(state, STATE_LOCKS, 1));
		*(char *)state_table(state, STATE_LOCKS, &(size_t){0}) = 'y';
		child = (pid_t)must_call(fork());
		if (child == 0)
			pause();
		seen->child = child;
		raise(death);
	}
	must_call(read(seen->fd, &byte, 1));
	ck_assert_int_eq(byte, 'x');
	ck_assert_int_eq(*(char *)state_table(state, STATE_LOCKS, &(size_t){0}), 'y');
	ck_assert_ptr_null(state_alloc(state, 1)); /* nothing is claimed yet */
	state_settle(state);
	ck_assert_ptr_nonnull(state_alloc(state, 1));
	ck_assert_uint_eq(supervisor_area(state)->n_daemons, 2);
	/* Whatever gets the number from now on is not the supervisor's to close. */
	ck_assert_int_ne(state_fd(state), seen->state_fd);
	ck_assert_int_eq(fcntl(seen->state_fd, F_GETFD), -1);
	/* What the former daemon has left is the supervisor's, which reaps it. */
	must_call(kill(seen->child, SIGKILL));
	for (int i = 0; kill(seen->child, 0) == 0 && i < 5000; i++)
		poll(NULL, 0, 1);
	ck_assert_int_eq(kill(seen->child, 0), -1);
	return STATUS;
}

START_TEST(test_supervisor_daemon_killed_next_goes_on)
{
	death = fatal[_i];
	must_exit(start(serve_two, true), STATUS);
	ck_assert_int_eq(seen->n, 2);
	ck_assert_int_eq(seen->n_next, 1);
}
END_TEST

static int serve_signal(const struct options *options, struct state *state, bool is_next)
{
	see(state, is_next);
	wait_for_signal();
	return STATUS;
}

static const int passed[] = {SIGTERM, SIGHUP};

START_TEST(test_supervisor_signalled_passes_it_on)
{
	pid_t pid = start(serve_signal, true);

	wait_for(&seen->daemon);
	must_call(kill(pid, passed[_i]));
	must_exit(pid, STATUS);
	ck_assert_int_eq(seen->signal, passed[_i]);
}
END_TEST

/* The first daemon gets SIGTERM, and is killed before it has ended. */
static int serve_late(const struct options *options, struct state *state, bool is_next)
{
	see(state, is_next);
	if (is_next)
		poll(NULL, 0, 20); /* it does not listen yet */
	wait_for_signal();
	if (!is_next)
		raise(SIGKILL);
	return STATUS;
}

START_TEST(test_supervisor_asked_to_end_next_daemon_is_asked_too)
{
	pid_t pid = start(serve_late, true);

	wait_for(&seen->daemon);
	must_call(kill(pid, SIGTERM));
	must_exit(pid, STATUS);
	ck_assert_int_eq(seen->n_next, 1);
}
END_TEST

/* Daemons die when they are to read the configuration, before or after they have. */
static int serve_reload(const struct options *options, struct state *state, bool is_next)
{
	sigset_t pending;

	see(state, is_next);
	supervisor_ready();
	if (seen->n <= last) {
		wait_for_signal();
		ck_assert_int_eq(seen->signal, SIGHUP);
		if (seen->n == confirmed)
			supervisor_reloaded(supervisor_reloads());
		raise(SIGKILL);
	}
	poll(NULL, 0, 50);
	sigpending(&pending);
	return sigismember(&pending, SIGHUP) ? 1 : STATUS;
}

static void reload(int n, int n_confirmed)
{
	pid_t pid;

	last = n;
	confirmed = n_confirmed;
	pid = start(serve_reload, true);
	wait_for(&seen->daemon);
	must_call(kill(pid, SIGHUP));
	must_exit(pid, STATUS);
	ck_assert_int_eq(seen->n, n + 1);
}

START_TEST(test_supervisor_reload_is_lost_next_daemon_does_it)
{
	reload(1, 1);
	reload(2, 2);
}
END_TEST

START_TEST(test_supervisor_reload_kills_daemons_is_given_up)
{
	reload(3, 0);
}
END_TEST

START_TEST(test_supervisor_killed_daemon_is_told)
{
	pid_t pid = start(serve_signal, true);

	wait_for(&seen->daemon);
	must_call(kill(pid, SIGKILL));
	wait_for(&seen->signal);
	ck_assert_int_eq(seen->signal, SIGTERM);
	must_die(pid, SIGKILL);
}
END_TEST

static void end_dispatch(struct loop_source *source, uint32_t events)
{
	seen->has_ended = true;
	loop_stop(loop);
}

/* A daemon that has acted as a caller: the kernel does not signal the supervisor's end to it. */
static int serve_loop(const struct options *options, struct state *state, bool is_next)
{
	struct loop_source source = {.dispatch = end_dispatch};

	see(state, is_next);
	must_call(prctl(PR_SET_PDEATHSIG, 0));
	must(supervisor_watch(loop, &source));
	seen->daemon = getpid();
	must(loop_run(loop));
	return STATUS;
}

START_TEST(test_supervisor_killed_loop_is_told)
{
	pid_t pid = start(serve_loop, true);

	wait_for(&seen->daemon);
	must_call(kill(pid, SIGKILL));
	wait_for(&seen->has_ended);
	must_die(pid, SIGKILL);
}
END_TEST

int main(void)
{
	enum { N_FATAL = sizeof(fatal) / sizeof(*fatal) };
	Suite *suite = suite_create("supervisor");

	suite_add_loop(suite, "status",
		       (const TTest *[]){test_supervisor_daemon_ends_status_is_the_same, NULL}, 2);
	suite_add_loop(suite, "killed",
		       (const TTest *[]){test_supervisor_daemon_killed_early_ends_alike,
					 test_supervisor_daemon_killed_next_goes_on, NULL},
		       N_FATAL);
	suite_add_loop(suite, "signals",
		       (const TTest *[]){test_supervisor_signalled_passes_it_on, NULL}, 2);
	suite_add(suite, "supervisor",
		  (const TTest *[]){test_supervisor_daemon_killed_while_ending_ends_alike,
				    test_supervisor_asked_to_end_next_daemon_is_asked_too,
				    test_supervisor_reload_is_lost_next_daemon_does_it,
				    test_supervisor_reload_kills_daemons_is_given_up,
				    test_supervisor_killed_daemon_is_told,
				    test_supervisor_killed_loop_is_told, NULL});
	return suite_run(suite);
}
