// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which processes are there, and how old they are. The users are such as nobody is but the test's
 * processes.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/host/namespaces.h"
#include "lib/host/processes.h"
#include "tests/unit/fixture.h"
#include "tests/unit/peer.h"

enum { APP = 1234567, MOVED = 1234568, NOBODY_IS = 1234569 };

START_TEST(test_processes_live_one_has_not_ended)
{
	time_t now = time(NULL);
	pid_t pid = peer_start(&(struct peer){.uid = APP});

	ck_assert(!process_has_ended(pid, now));
	ck_assert(!process_has_ended(1, now));
	ck_assert(!process_has_ended(0, now)); /* unknown */
	ck_assert(process_has_ended(getpid(), now));
	peer_stop(pid);
	ck_assert(process_has_ended(pid, now));
}
END_TEST

START_TEST(test_processes_zombie_has_ended)
{
	time_t now = time(NULL);
	pid_t pid = (pid_t)must_call(fork());
	siginfo_t info;

	if (pid == 0)
		_exit(0);
	must_call(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	ck_assert(process_has_ended(pid, now));
	must_call(waitpid(pid, NULL, 0));
}
END_TEST

START_TEST(test_processes_one_that_began_later_is_another)
{
	time_t now = time(NULL);
	pid_t pid = peer_start(&(struct peer){.uid = APP});

	ck_assert(process_has_ended(pid, now - 60));
	/* The clock has been set since: the object seems to be older than the machine is up. */
	ck_assert(!process_has_ended(pid, processes_find_boot() - 60));
	peer_stop(pid);
}
END_TEST

static void *wait_for_ever(void *unused)
{
	for (;;)
		pause();
	return NULL;
}

/* A program whose main thread has ended, but another has not. */
START_TEST(test_processes_main_thread_alone_does_not_end_one)
{
	time_t now = time(NULL);
	pid_t pid = (pid_t)must_call(fork());
	char path[32], state[64] = "";
	pthread_t thread;

	if (pid == 0) {
		if (pthread_create(&thread, NULL, wait_for_ever, NULL) == 0)
			pthread_exit(NULL);
		_exit(1);
	}
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	for (int i = 0; i < 5000 && !strstr(state, ") Z"); i++) {
		FILE *file = fopen(path, "re");

		ck_assert(fgets(state, sizeof(state), file));
		fclose(file);
		usleep(1000);
	}
	ck_assert_ptr_nonnull(strstr(state, ") Z"));
	ck_assert(!process_has_ended(pid, now));
	must_call(kill(pid, SIGKILL));
	must_call(waitpid(pid, NULL, 0));
}
END_TEST

/* Starts a process that is not our child, since the daemon's own children do not count. */
static pid_t start_orphan(uid_t real, uid_t effective)
{
	int ends[2];
	pid_t pid, orphan = 0;

	must_call(pipe(ends));
	pid = (pid_t)must_call(fork());
	if (pid == 0 && fork() == 0) {
		orphan = getpid();
		if (setresuid(real, effective, effective) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
		    write(ends[1], &orphan, sizeof(orphan)) < 0)
			_exit(1);
		wait_for_ever(NULL);
	}
	if (pid == 0)
		_exit(0);
	must_call(waitpid(pid, NULL, 0));
	close(ends[1]);
	ck_assert_int_eq(read(ends[0], &orphan, sizeof(orphan)), sizeof(orphan));
	close(ends[0]);
	return orphan;
}

/* In a container others may run that it does not see, so there nothing is known. */
static time_t as_seen(time_t oldest)
{
	return namespaces_see_all() ? oldest : 0;
}

START_TEST(test_processes_oldest_counts_each_user_id_even_if_undumpable)
{
	struct processes_user users[] = {{.uid = APP}, {.uid = MOVED}, {.uid = NOBODY_IS}};
	time_t now = time(NULL);
	pid_t pid = start_orphan(APP, MOVED);

	must(processes_find_oldest(users, 3, 0));
	must_call(kill(pid, SIGKILL));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_ge(users[i].oldest, as_seen(now - PROCESSES_SLACK));
		ck_assert_int_le(users[i].oldest, as_seen(now + PROCESSES_SLACK));
	}
	ck_assert_int_eq(users[2].oldest, as_seen(PROCESSES_NONE));
}
END_TEST

START_TEST(test_processes_oldest_leaves_out_our_own)
{
	struct processes_user user = {.uid = APP};
	pid_t pid = peer_start(&(struct peer){.uid = APP});

	must(processes_find_oldest(&user, 1, 0));
	ck_assert_int_eq(user.oldest, as_seen(PROCESSES_NONE));
	peer_stop(pid);
}
END_TEST

START_TEST(test_processes_oldest_is_unknown_without_privileges)
{
	struct processes_user user = {.uid = APP};

	fixture_drop_privileges();
	must(processes_find_oldest(&user, 1, 0));
	ck_assert_int_eq(user.oldest, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processes");

	suite_add(suite, "processes",
		  (const TTest *const[]){
			  test_processes_live_one_has_not_ended,
			  test_processes_zombie_has_ended,
			  test_processes_one_that_began_later_is_another,
			  test_processes_main_thread_alone_does_not_end_one,
			  test_processes_oldest_counts_each_user_id_even_if_undumpable,
			  test_processes_oldest_leaves_out_our_own,
			  test_processes_oldest_is_unknown_without_privileges,
			  NULL,
		  });
	return suite_run(suite);
}
