// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon's own processes that scan for peers, and the helper that forks them as they are
 * needed.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fixture.h"
#include "tests/unit/look.h"

static void open_both(void)
{
	if (open(LOOK_PATH, O_RDWR) < 0)
		_exit(1);
}

static void resume(struct waiter *waiter)
{
	loop_stop(loop);
}

/* A scan with many targets, which the scan sorts, finds the right target. */
START_TEST(test_scanner_of_many_targets)
{
	enum { MANY = 10000 };
	static struct peer_target targets[MANY];
	struct peer_target target;
	pid_t pid;

	look_make();
	target = look_target(LOOK_PATH);
	for (size_t i = 0; i < MANY; i++) {
		targets[i] = target;
		/* Only the first target is a file. No file has the numbers of the other targets. */
		targets[i].ino += (ino_t)(i * 7919 % MANY) << 40;
		targets[i].shown_dev = (dev_t)-1; /* no file has this device */
		targets[i].shown_ino = i;
	}
	pid = look_start(open_both);
	look_find(targets, MANY);
	ck_assert_uint_eq(look_found.n_peers, 1);
	ck_assert_uint_eq(look_found.peers[0].target, 0);
	ck_assert_int_eq(look_found.peers[0].pid, pid);
	ck_assert_uint_eq(look_found.n_unseen, 0);
	look_forget();
	look_end(pid);
}
END_TEST

START_TEST(test_scanner_memory_is_the_readers)
{
	struct peer_target target;

	look_make();
	target = look_target(LOOK_PATH);
	host.users.limits[USER_BYTES] = 1000;
	must(scanner_new(&host, &look_scanner));
	must_fail(scan_new(look_scanner, &stranger, &target, 1, &look_scan), ENOBUFS);
	scanner_free(look_scanner);
}
END_TEST

/* Returns the pid of a process's first child, or 0. */
static pid_t child_of(pid_t parent)
{
	char path[64];
	int child = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	if (fscanf(file, "%d", &child) != 1)
		child = 0;
	fclose(file);
	return child;
}

START_TEST(test_scanner_helper_that_was_killed_is_replaced)
{
	struct peer_target target;
	pid_t pid, helper;
	siginfo_t info;

	look_make();
	target = look_target(LOOK_PATH);
	must(scanner_new(&host, &look_scanner));
	helper = child_of(getpid());
	must_call(kill(helper, SIGKILL));
	/*
	 * Waits until the helper has ended. Before that, the scan could send the helper a message
	 * that is never read, and would fail with EIO.
	 */
	must_call(waitid(P_PID, (id_t)helper, &info, WEXITED | WNOWAIT));
	pid = look_start(open_both);
	look_find(&target, 1);
	ck_assert_uint_eq(look_found.n_peers, 1);
	look_forget();
	look_end(pid);
}
END_TEST

START_TEST(test_scanner_helper_ends_with_the_scanner)
{
	pid_t helper;

	must(scanner_new(&host, &look_scanner));
	helper = child_of(getpid());
	ck_assert_int_gt(helper, 0);
	scanner_free(look_scanner);
	ck_assert_int_eq(kill(helper, 0), -1);
}
END_TEST

START_TEST(test_scanner_look_can_be_given_up)
{
	struct waiter waiter = {.resume = resume};
	struct peer_target target;

	look_make();
	target = look_target(LOOK_PATH);
	must(scanner_new(&host, &look_scanner));
	must(scan_new(look_scanner, &root, &target, 1, &look_scan));
	must_fail(scan_step(look_scan, &waiter), EINPROGRESS);
	look_forget();
}
END_TEST

START_TEST(test_scanner_without_descriptors_fails)
{
	struct peer_target target;

	look_make();
	target = look_target(LOOK_PATH);
	must(scanner_new(&host, &look_scanner));
	fixture_limit_descriptors(0);
	must_fail(scan_new(look_scanner, &root, &target, 1, &look_scan), EMFILE);
	scanner_free(look_scanner);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scanner");

	suite_add(suite, "scanner",
		  (const TTest *const[]){
			  test_scanner_of_many_targets,
			  test_scanner_memory_is_the_readers,
			  test_scanner_helper_that_was_killed_is_replaced,
			  test_scanner_helper_ends_with_the_scanner,
			  test_scanner_look_can_be_given_up,
			  test_scanner_without_descriptors_fails,
			  NULL,
		  });
	return suite_run(suite);
}
