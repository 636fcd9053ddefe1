/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which callers may use what belongs to a namespace, judged by the namespaces of their processes.
 */
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/host/namespaces.h"
#include "tests/unit/fixture.h"
#include "tests/unit/peer.h"

enum { ANNA = 1001 };

static struct namespaces namespaces;

static void note(unsigned foreign)
{
	namespaces = (struct namespaces){0};
	namespaces_note(&namespaces);
	namespaces.foreign = foreign;
}

/* Checks a caller that has namespaces of its own (CLONE_NEW*). Returns the result. */
static int check(int unshares, enum namespace_type type)
{
	pid_t pid = peer_start(&(struct peer){.uid = ANNA, .unshares = unshares});
	struct caller caller = {.uid = ANNA, .gid = ANNA, .pid = pid};
	int r = namespaces_check(&namespaces, &caller, type);

	peer_stop(pid);
	caller_fini(&caller);
	return r;
}

START_TEST(test_namespaces_check_own_is_served)
{
	note(0);
	must(check(0, NAMESPACE_NET));
	must(check(0, NAMESPACE_IPC));
	must(check(CLONE_NEWUSER, NAMESPACE_NET));
}
END_TEST

START_TEST(test_namespaces_check_foreign_is_refused)
{
	note(0);
	must_fail(check(CLONE_NEWUSER | CLONE_NEWNET, NAMESPACE_NET), EPERM);
	must_fail(check(CLONE_NEWUSER | CLONE_NEWIPC, NAMESPACE_IPC), EPERM);
}
END_TEST

/* Not by unshare(2), after which no process could be started here once this one has ended. */
static pid_t start_inside(void)
{
	pid_t pid = (pid_t)must_call(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0));

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	return pid;
}

START_TEST(test_namespaces_check_pid_namespace_below_is_refused)
{
	struct caller inside = {.uid = 0, .pid = 0};

	note(0);
	must(check(0, NAMESPACE_PID));
	inside.pid = start_inside();
	must_fail(namespaces_check(&namespaces, &inside, NAMESPACE_PID), EPERM);
	caller_fini(&inside);
	note(1U << NAMESPACE_PID);
	must(namespaces_check(&namespaces, &inside, NAMESPACE_PID));
	caller_fini(&inside);
	kill(inside.pid, SIGKILL);
	waitpid(inside.pid, NULL, 0);
}
END_TEST

START_TEST(test_namespaces_check_asks_for_one_alone)
{
	note(0);
	must(check(CLONE_NEWUSER | CLONE_NEWNET, NAMESPACE_IPC));
	must(check(CLONE_NEWUSER | CLONE_NEWIPC, NAMESPACE_NET));
	must(check(CLONE_NEWUSER | CLONE_NEWIPC | CLONE_NEWNET, NAMESPACE_NONE));
}
END_TEST

START_TEST(test_namespaces_check_foreign_is_served_if_allowed)
{
	note(1U << NAMESPACE_NET);
	must(check(CLONE_NEWUSER | CLONE_NEWNET, NAMESPACE_NET));
	must_fail(check(CLONE_NEWUSER | CLONE_NEWIPC, NAMESPACE_IPC), EPERM);
}
END_TEST

START_TEST(test_namespaces_check_unseen_is_refused)
{
	struct caller unseen = {.uid = ANNA};
	struct caller ended = {.uid = ANNA, .pid = peer_start(&(struct peer){.uid = ANNA})};

	peer_stop(ended.pid);
	note(0);
	must_fail(namespaces_check(&namespaces, &unseen, NAMESPACE_NET), EPERM);
	must_fail(namespaces_check(&namespaces, &ended, NAMESPACE_IPC), EPERM);
	note(1U << NAMESPACE_PID);
	must(namespaces_check(&namespaces, &unseen, NAMESPACE_NET));
}
END_TEST

/*
 * A file acts for its opener as the opener was seen at open(2). By now the opener's process may
 * have gone.
 */
START_TEST(test_namespaces_check_what_was_seen_holds)
{
	struct caller caller = {.uid = ANNA, .pid = peer_start(&(struct peer){.uid = ANNA})};
	struct caller copy;

	note(0);
	must(namespaces_check(&namespaces, &caller, NAMESPACE_NET));
	must(caller_copy(&copy, &caller));
	peer_stop(caller.pid);
	must(namespaces_check(&namespaces, &copy, NAMESPACE_NET));
	must_fail(namespaces_check(&namespaces, &copy, NAMESPACE_IPC), EPERM);
	caller_fini(&caller);
	caller_fini(&copy);
}
END_TEST

/* A foreign caller does not become a local one when another process gets the caller's pid. */
START_TEST(test_namespaces_check_refusal_holds)
{
	pid_t pid =
		peer_start(&(struct peer){.uid = ANNA, .unshares = CLONE_NEWUSER | CLONE_NEWNET});
	struct caller caller = {.uid = ANNA, .pid = pid};
	struct caller copy;

	note(0);
	must_fail(namespaces_check(&namespaces, &caller, NAMESPACE_NET), EPERM);
	must(caller_copy(&copy, &caller));
	peer_stop(pid);
	copy.pid = peer_start(&(struct peer){.uid = ANNA});
	must_fail(namespaces_check(&namespaces, &copy, NAMESPACE_NET), EPERM);
	peer_stop(copy.pid);
	caller_fini(&caller);
	caller_fini(&copy);
}
END_TEST

/* With ipcns= the mounter's namespace counts as well as the one shown. */
START_TEST(test_namespaces_note_adds_that_of_ipc)
{
	struct caller self = {.pid = peer_start(&(struct peer){.uid = ANNA})};
	struct caller moved;

	note(0);
	must_call(unshare(CLONE_NEWIPC));
	moved = (struct caller){.uid = ANNA, .pid = peer_start(&(struct peer){.uid = ANNA})};
	must_fail(namespaces_check(&namespaces, &moved, NAMESPACE_IPC), EPERM);
	namespaces_note(&namespaces);
	/*
	 * What was seen of a caller stays. Only a new request, with a new caller, is checked anew.
	 */
	must_fail(namespaces_check(&namespaces, &moved, NAMESPACE_IPC), EPERM);
	caller_fini(&moved);
	must(namespaces_check(&namespaces, &moved, NAMESPACE_IPC));
	must(namespaces_check(&namespaces, &self, NAMESPACE_IPC));
	peer_stop(moved.pid);
	peer_stop(self.pid);
}
END_TEST

START_TEST(test_namespaces_parse_names)
{
	unsigned foreign = 0;

	must(namespaces_parse("net", &foreign));
	ck_assert_uint_eq(foreign, 1U << NAMESPACE_NET);
	must(namespaces_parse("ipc:pid", &foreign));
	ck_assert_uint_eq(foreign, 1U << NAMESPACE_IPC | 1U << NAMESPACE_PID);
	must_fail(namespaces_parse("", &foreign), EINVAL);
	must_fail(namespaces_parse("net:", &foreign), EINVAL);
	must_fail(namespaces_parse("net:user", &foreign), EINVAL);
	must_fail(namespaces_parse("nets", &foreign), EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("namespaces");

	suite_add(suite, "check",
		  (const TTest *const[]){
			  test_namespaces_check_own_is_served,
			  test_namespaces_check_foreign_is_refused,
			  test_namespaces_check_pid_namespace_below_is_refused,
			  test_namespaces_check_asks_for_one_alone,
			  test_namespaces_check_foreign_is_served_if_allowed,
			  test_namespaces_check_unseen_is_refused,
			  test_namespaces_check_what_was_seen_holds,
			  test_namespaces_check_refusal_holds,
			  test_namespaces_note_adds_that_of_ipc,
			  test_namespaces_parse_names,
			  NULL,
		  });
	return suite_run(suite);
}
