/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done in a process that is the caller in every respect, and how that process ends. What
 * the process saw comes back in memory shared with it.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/host/child.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/identity.h"
#include "tests/unit/peer.h"

struct report {
	struct identity identity;
	rlim_t queue_limit;
};

struct run {
	struct child child;
	bool is_done;
	unsigned n;
	int result;
};

static void run_done(struct child *child, int result)
{
	struct run *run = CONTAINER_OF(child, struct run, child);

	run->is_done = true;
	run->n++;
	run->result = result;
	loop_end();
}

static int run_start(struct run *run, struct caller *caller, int (*act)(void *data),
		     const void *data, size_t size)
{
	run->child.done = run_done;
	return child_start(&run->child, loop, caller, act, data, size);
}

/* Runs act(data) in a process of the stranger, waits for its end, and returns the result. */
static int run_act(int (*act)(void *data), int data)
{
	struct run run = {0};

	must(run_start(&run, &stranger, act, &data, sizeof(data)));
	loop_wait(&run.is_done);
	child_fini(&run.child);
	return run.result;
}

static int act_report(void *data)
{
	struct report *report = data;
	struct rlimit limit = {0};

	report->identity = identity_get();
	getrlimit(RLIMIT_MSGQUEUE, &limit);
	report->queue_limit = limit.rlim_cur;
	return 0;
}

/* Returns what a caller's process sees. */
static struct report report_of(struct caller *caller)
{
	struct report report = {0};
	struct run run = {0};

	must(run_start(&run, caller, act_report, &report, sizeof(report)));
	loop_wait(&run.is_done);
	report = *(struct report *)run.child.shared;
	child_fini(&run.child);
	return report;
}

static int act_return(void *data)
{
	return *(int *)data;
}

static int act_die(void *data)
{
	kill(getpid(), SIGKILL);
	return 0;
}

static int act_wait(void *data)
{
	pause();
	return 0;
}

static int act_double(void *data)
{
	*(int *)data *= 2;
	return 0;
}

static void assert_no_child(void)
{
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
}

START_TEST(test_child_success_gives_0)
{
	ck_assert_int_eq(run_act(act_return, 0), 0);
	assert_no_child();
}
END_TEST

/* Tries errno values (by _i) from their whole range. */
START_TEST(test_child_error_comes_through)
{
	static const int errors[] = {EPERM, ENOSPC, EMSGSIZE, EDQUOT, EHWPOISON};

	must_fail(run_act(act_return, -errors[_i]), errors[_i]);
}
END_TEST

START_TEST(test_child_killed_eintr)
{
	must_fail(run_act(act_die, 0), EINTR);
	assert_no_child();
}
END_TEST

START_TEST(test_child_data_comes_back)
{
	struct run run = {0};
	const int data = 21;

	must(run_start(&run, &stranger, act_double, &data, sizeof(data)));
	loop_wait(&run.is_done);
	ck_assert_int_eq(*(int *)run.child.shared, 42);
	ck_assert_int_eq(data, 21);
	child_fini(&run.child);
}
END_TEST

START_TEST(test_child_done_is_called_once_by_the_loop)
{
	struct run run = {0};
	const int data = 0;
	siginfo_t info;

	must(run_start(&run, &stranger, act_return, &data, sizeof(data)));
	must_call(waitid(P_PID, (id_t)run.child.pid, &info, WEXITED | WNOWAIT));
	ck_assert_uint_eq(run.n, 0);
	loop_settle();
	ck_assert_uint_eq(run.n, 1);
	child_fini(&run.child);
}
END_TEST

START_TEST(test_child_that_does_not_end_holds_nobody_up)
{
	struct run endless = {0};
	const int data = 0;

	must(run_start(&endless, &stranger, act_wait, &data, sizeof(data)));
	ck_assert_int_eq(run_act(act_return, 0), 0);
	ck_assert_uint_eq(endless.n, 0);
	child_fini(&endless.child);
}
END_TEST

START_TEST(test_child_fini_ends_a_running_one)
{
	struct run run = {0};
	const int data = 0;

	must(run_start(&run, &stranger, act_wait, &data, sizeof(data)));
	child_fini(&run.child);
	assert_no_child();
	loop_settle();
	ck_assert_uint_eq(run.n, 0);
}
END_TEST

START_TEST(test_child_fini_ends_a_stopped_one)
{
	struct run run = {0};
	const int data = 0;
	siginfo_t info;

	must(run_start(&run, &stranger, act_wait, &data, sizeof(data)));
	must_call(kill(run.child.pid, SIGSTOP));
	must_call(waitid(P_PID, (id_t)run.child.pid, &info, WSTOPPED | WNOWAIT));
	child_fini(&run.child);
	assert_no_child();
}
END_TEST

START_TEST(test_child_without_descriptors_leaves_nothing)
{
	struct run run = {0};
	const int data = 0;
	int r;

	fixture_limit_descriptors(0);
	r = run_start(&run, &stranger, act_wait, &data, sizeof(data));
	fixture_unlimit_descriptors();
	must_fail(r, EMFILE);
	assert_no_child();
	ck_assert_uint_eq(run.n, 0);
}
END_TEST

START_TEST(test_child_has_all_ids_of_caller)
{
	struct identity in = report_of(&stranger).identity;
	const struct identity expected = {
		.ruid = STRANGER,
		.euid = STRANGER,
		.suid = 0, /* so that the caller can't trace the process */
		.fsuid = STRANGER,
		.rgid = STRANGER,
		.egid = STRANGER,
		.sgid = STRANGER,
		.fsgid = STRANGER,
	};

	ck_assert(identity_equal(&in, &expected));
}
END_TEST

START_TEST(test_child_has_groups_of_callers_process)
{
	const struct peer peer = {.uid = STRANGER, .n_groups = 2, .groups = {1001, 1002}};
	struct caller caller = {.uid = STRANGER, .gid = STRANGER};
	struct identity in;

	caller.pid = peer_start(&peer);
	in = report_of(&caller).identity;
	peer_stop(caller.pid);
	caller_fini(&caller);
	ck_assert(identity_has_groups(&in, 2, peer.groups));
}
END_TEST

static int act_session(void *data)
{
	return getsid(0) == getpid() ? 0 : -EINVAL;
}

/* Within the daemon's session the caller could send SIGCONT to everyone. */
START_TEST(test_child_has_a_session_of_its_own)
{
	ck_assert_int_eq(run_act(act_session, 0), 0);
}
END_TEST

struct kept {
	int fd, other;
	bool is_open, is_closed;
};

static int act_look_at_descriptors(void *data)
{
	struct kept *kept = data;

	kept->is_open = fcntl(kept->fd, F_GETFD) >= 0;
	kept->is_closed = true;
	for (int fd = 0; fd <= kept->other; fd++)
		if (fd != kept->fd && fcntl(fd, F_GETFD) >= 0)
			kept->is_closed = false;
	return 0;
}

START_TEST(test_child_keeps_only_the_descriptor_that_it_is_given)
{
	struct kept kept;
	struct run run = {0};
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	memset(&kept, 0, sizeof(kept));
	kept.fd = run.child.kept_fd = fds[0];
	kept.other = fds[1];
	must(run_start(&run, &stranger, act_look_at_descriptors, &kept, sizeof(kept)));
	loop_wait(&run.is_done);
	kept = *(struct kept *)run.child.shared;
	ck_assert(kept.is_open);
	ck_assert(kept.is_closed);
	child_fini(&run.child);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(test_child_leaves_the_daemon_as_it_was)
{
	struct identity before = identity_get();
	struct identity after;

	report_of(&stranger);
	after = identity_get();
	ck_assert(identity_equal(&before, &after));
}
END_TEST

START_TEST(test_child_has_queue_limit_of_callers_process)
{
	const struct peer peer = {.uid = STRANGER, .queue_limit = 12345};
	struct caller caller = {.uid = STRANGER, .gid = STRANGER};
	struct report report;

	caller.pid = peer_start(&peer);
	report = report_of(&caller);
	peer_stop(caller.pid);
	caller_fini(&caller);
	ck_assert_uint_eq(report.queue_limit, 12345);
}
END_TEST

/* The daemon's own soft limit is low, the caller's is not. */
START_TEST(test_child_has_higher_queue_limit_of_callers_process)
{
	const struct peer peer = {.uid = STRANGER};
	struct caller caller = {.uid = STRANGER, .gid = STRANGER};
	struct rlimit limit;
	struct report report;
	rlim_t before;

	caller.pid = peer_start(&peer);
	must_call(getrlimit(RLIMIT_MSGQUEUE, &limit));
	before = limit.rlim_cur;
	limit.rlim_cur = 1000;
	must_call(setrlimit(RLIMIT_MSGQUEUE, &limit));
	report = report_of(&caller);
	peer_stop(caller.pid);
	caller_fini(&caller);
	ck_assert_uint_eq(report.queue_limit, before);
}
END_TEST

START_TEST(test_child_of_unseen_process_may_have_no_queue)
{
	struct caller unseen = {.uid = STRANGER, .gid = STRANGER};

	ck_assert_uint_eq(report_of(&unseen).queue_limit, 0);
}
END_TEST

START_TEST(test_child_is_needed_for_other_identities_than_the_daemons)
{
	struct caller root_in_other_group = {.gid = 50};

	ck_assert(child_is_needless(&root));
	ck_assert(!child_is_needless(&stranger));
	ck_assert(!child_is_needless(&root_in_other_group));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("child");

	suite_add(suite, "end",
		  (const TTest *const[]){
			  test_child_success_gives_0,
			  test_child_killed_eintr,
			  test_child_data_comes_back,
			  test_child_done_is_called_once_by_the_loop,
			  test_child_that_does_not_end_holds_nobody_up,
			  test_child_fini_ends_a_running_one,
			  test_child_fini_ends_a_stopped_one,
			  test_child_without_descriptors_leaves_nothing,
			  NULL,
		  });
	suite_add_loop(suite, "errors",
		       (const TTest *const[]){test_child_error_comes_through, NULL}, 5);
	suite_add(suite, "identity",
		  (const TTest *const[]){
			  test_child_has_all_ids_of_caller,
			  test_child_has_groups_of_callers_process,
			  test_child_has_a_session_of_its_own,
			  test_child_keeps_only_the_descriptor_that_it_is_given,
			  test_child_leaves_the_daemon_as_it_was,
			  test_child_has_queue_limit_of_callers_process,
			  test_child_has_higher_queue_limit_of_callers_process,
			  test_child_of_unseen_process_may_have_no_queue,
			  test_child_is_needed_for_other_identities_than_the_daemons,
			  NULL,
		  });
	return suite_run(suite);
}
