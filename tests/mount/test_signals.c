// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Waiting for the end of processes, which are files of a live mount.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/signals.h"
#include "tests/mount/waiter.h"

#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N_WAITERS = 1000, CODE = 7 };

static void send_must(pid_t pid, const char *text)
{
	int error = process_send(pid, text);

	ck_assert_msg(error == 0, "%s: %s", text, strerrorname_np(error));
}

static void must_tell(int fd, const char *text)
{
	char line[64] = "";

	ck_assert_int_eq(must(read(fd, line, sizeof(line) - 1)), strlen(text));
	ck_assert_str_eq(line, text);
	ck_assert_int_eq(must(read(fd, line, sizeof(line))), 0);
}

/* The value of a number in info/signals/PID/status. */
static long status_number(pid_t pid, const char *key)
{
	char name[48], line[256], wanted[32];
	long value = -1;
	FILE *file;

	snprintf(name, sizeof(name), "info/signals/%d/status", pid);
	snprintf(wanted, sizeof(wanted), "%s %%ld", key);
	file = fopen(ipc_path(name), "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, wanted, &value) == 1)
			break;
	fclose(file);
	return value;
}

static bool are_waiting(void *arg)
{
	return status_number(*(pid_t *)arg, "waiting") == N_WAITERS;
}

static int exit_when_told(void *unused)
{
	signal(SIGTERM, SIG_DFL);
	pause();
	return 0;
}

static int exit_with_code(void *unused)
{
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigwait(&set, &number);
	return CODE;
}

/* What a reader finds when the process is killed by, or exits at, the signal, by _i. */
START_TEST(test_signals_end_is_told)
{
	static const struct {
		const char *text, *end;
		int (*body)(void *unused);
	} cases[] = {
		{"TERM\n", "killed TERM\n", exit_when_told},
		{"9", "killed KILL\n", exit_when_told},
		{"SIGRTMIN+2\n", "killed RTMIN+2\n", exit_when_told},
		{"USR1\n", "exited 7\n", exit_with_code},
	};
	const char *end = mount_is_without("pidfd_info") ? "ended\n" : cases[_i].end;
	pid_t pid = child_start(cases[_i].body, NULL);
	int fd = (int)must(process_open(pid, O_RDWR));

	/* Before the child has blocked USR1, that would kill it. */
	task_must_block(pid, _i == 3 ? SYS_rt_sigtimedwait : SYS_pause);
	ck_assert_int_eq(must(write(fd, cases[_i].text, strlen(cases[_i].text))),
			 strlen(cases[_i].text));
	child_end(pid);
	must_tell(fd, end);
	must(close(fd));
	must_fail(process_open(pid, O_RDONLY), ENOENT);
}
END_TEST

START_TEST(test_signals_ended_is_told_of_a_zombie)
{
	pid_t pid = child_start(exit_when_told, NULL);
	int fd = (int)must(process_open(pid, O_RDONLY));

	must(kill(pid, SIGKILL));
	must_tell(fd, "ended\n");
	ck_assert_int_eq(task_state(pid), 'Z');
	send_must(pid, "TERM\n"); /* as kill(2) */
	child_end(pid);
	must(close(fd));
}
END_TEST

START_TEST(test_signals_every_method_of_waiting_wakes)
{
	pid_t pid = child_start(pause_for_ever, NULL);
	int fd = (int)must(process_open(pid, O_RDONLY | O_NONBLOCK));
	struct waiter waiter = {0};
	char byte;

	must_fail(read(fd, &byte, 1), EAGAIN);
	waiter_start(&waiter, fd, POLLIN, _i);
	must(kill(pid, SIGKILL));
	child_end(pid);
	ck_assert_int_eq(waiter_end(&waiter) & POLLIN, POLLIN);
	ck_assert_int_eq(must(read(fd, &byte, 1)), 1);
	must(close(fd));
}
END_TEST

static int read_end(void *arg)
{
	int fd = process_open(*(pid_t *)arg, O_RDONLY);
	char line[64];
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line));

	return n < 0 ? errno : n > 4 && line[n - 1] == '\n' ? 0 : EBADMSG;
}

static int count_threads(pid_t pid)
{
	char path[32], line[256];
	int n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Threads: %d", &n) == 1)
			break;
	fclose(file);
	return n;
}

START_TEST(test_signals_a_thousand_waiters_take_one_descriptor_and_no_thread)
{
	pid_t pid = child_start(pause_for_ever, NULL);
	int n_threads = count_threads(ipc.daemon), n_descriptors = mount_descriptors(&ipc);
	static pid_t waiters[N_WAITERS];

	for (int i = 0; i < N_WAITERS; i++)
		waiters[i] = child_start(read_end, &pid);
	ck_assert(wait_until(are_waiting, &pid, 30000));
	ck_assert_int_le(count_threads(ipc.daemon), n_threads + 1); /* one makes texts */
	ck_assert_int_le(mount_descriptors(&ipc), n_descriptors + 3);
	must(kill(pid, SIGKILL));
	child_end(pid);
	for (int i = 0; i < N_WAITERS; i++)
		ck_assert_int_eq(child_end(waiters[i]), 0);
}
END_TEST

/* The writer or reader is killed through the mount that it waits in. */
static int write_for_ever(void *unused)
{
	char block[4096] = "";
	int fd = open(ipc_path("pipes/full"), O_WRONLY);

	while (fd >= 0 && write(fd, block, sizeof(block)) > 0)
		continue;
	return errno;
}

START_TEST(test_signals_kill_ends_a_process_that_waits_in_the_mount)
{
	pid_t pid;
	int status;

	channel_make("pipes/full");
	pid = child_start(write_for_ever, NULL);
	task_must_block(pid, SYS_write);
	send_must(pid, "KILL\n");
	status = child_end(pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
END_TEST

static int wait_for_own_end(void *unused)
{
	pid_t pid = getpid();

	return read_end(&pid);
}

START_TEST(test_signals_a_process_may_wait_for_its_own_end)
{
	pid_t pid = child_start(wait_for_own_end, NULL);
	int status;

	task_must_block(pid, SYS_read);
	ck_assert(!task_is_stuck(pid));
	send_must(pid, "KILL\n");
	status = child_end(pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
END_TEST

START_TEST(test_signals_recycled_pid_is_never_sent_any)
{
	pid_t pid = child_start(pause_for_ever, NULL);
	int fd = (int)must(process_open(pid, O_RDWR));

	must(kill(pid, SIGKILL));
	child_end(pid);
	process_recycle(pid);
	must_fail(write(fd, "KILL\n", 5), ESRCH);
	must_tell(fd, mount_is_without("pidfd_info") ? "ended\n" : "killed KILL\n");
	must(close(fd));
	ck_assert_int_ne(task_state(pid), 'Z');
	send_must(pid, "KILL\n");
	child_end(pid);
}
END_TEST

/* Ends the mount while a reader and a poller wait. */
START_TEST(test_signals_unmount_ends_a_wait)
{
	pid_t pid, waiter;
	struct mount mount;

	fixture_namespaces();
	mount_start(&ipc, "ipc", "allow_other");
	mount = ipc;
	pid = child_start(pause_for_ever, NULL);
	waiter = child_start(read_end, &pid);
	task_must_block(waiter, SYS_read);
	must(kill(mount.daemon, SIGTERM));
	ck_assert_int_eq(WEXITSTATUS(child_end(waiter)), ENOTCONN);
	ck_assert_int_eq(mount_wait(&mount), 0);
	must(kill(pid, SIGKILL));
	child_end(pid);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("signals");
	TCase *tcase = suite_case(suite, "signals", 60), *alone = tcase_create("alone");

	tcase_add_loop_test(tcase, test_signals_end_is_told, 0, 4);
	tcase_add_loop_test(tcase, test_signals_every_method_of_waiting_wakes, 0, N_METHODS);
	tcase_add_test(tcase, test_signals_ended_is_told_of_a_zombie);
	tcase_add_test(tcase, test_signals_a_thousand_waiters_take_one_descriptor_and_no_thread);
	tcase_add_test(tcase, test_signals_kill_ends_a_process_that_waits_in_the_mount);
	tcase_add_test(tcase, test_signals_a_process_may_wait_for_its_own_end);
	tcase_add_test(tcase, test_signals_recycled_pid_is_never_sent_any);
	tcase_set_timeout(alone, 30);
	tcase_add_test(alone, test_signals_unmount_ends_a_wait);
	suite_add_tcase(suite, alone);
	return suite_run(suite);
}
