// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Signals sent through a live mount: what the target sees, and what the sender.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USER = 65534 };

static void send_must(pid_t pid, const char *text)
{
	int error = process_send(pid, text);

	ck_assert_msg(error == 0, "%s: %s", text, strerrorname_np(error));
}

static int exit_when_told(void *unused)
{
	signal(SIGTERM, SIG_DFL);
	pause();
	return 0;
}

static int send_usr1_to_myself(void *unused)
{
	signal_interrupts(SIGUSR1);
	for (int i = 0; i < 100; i++) {
		int error = process_send(getpid(), "USR1\n");

		if (error)
			return error;
	}
	return 0;
}

/* The signal comes while the write waits. It must not fail the write that has sent it. */
START_TEST(test_signals_sent_to_oneself_are_no_interruption)
{
	child_must_as(USER, send_usr1_to_myself, NULL);
	child_must(send_usr1_to_myself, NULL);
}
END_TEST

static int kill_myself(void *unused)
{
	process_send(getpid(), "KILL\n");
	return 0;
}

START_TEST(test_signals_sent_a_process_may_kill_itself)
{
	int status = child_end(child_start_as(USER, kill_myself, NULL));

	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
END_TEST

/* What the target is told of the sender. */
static int look_at_siginfo(void *unused)
{
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (process_send(getpid(), "USR1\nRTMIN -5\n") || sigwaitinfo(&set, &info) != SIGUSR1)
		return EBADMSG;
	if (info.si_code != SI_USER || info.si_uid != getuid() || info.si_pid == getpid())
		return EBADE;
	if (sigwaitinfo(&set, &info) != SIGRTMIN)
		return EBADF;
	if (info.si_code != SI_QUEUE || info.si_uid != getuid() || info.si_pid != getpid() ||
	    info.si_value.sival_int != -5)
		return EBADR;
	return 0;
}

START_TEST(test_signals_sent_target_sees_the_sender)
{
	child_must_as(USER, look_at_siginfo, NULL);
	child_must(look_at_siginfo, NULL);
}
END_TEST

/* O_NONBLOCK is for waiting, and a signal that is sent waits for nobody. */
static int send_without_waiting(void *arg)
{
	int fd = process_open(*(pid_t *)arg, O_WRONLY | O_NONBLOCK);
	struct pollfd ready = {.fd = fd, .events = POLLOUT};

	if (fd < 0 || poll(&ready, 1, 0) != 1)
		return ENODATA;
	return write(fd, "0\nTERM\n", 7) == 7 ? 0 : errno;
}

START_TEST(test_signals_sent_with_nonblock)
{
	pid_t pid = child_start_as(USER, exit_when_told, NULL);

	task_must_block(pid, SYS_pause); /* by then it is the user */
	child_must_as(USER, send_without_waiting, &pid);
	ck_assert(WIFSIGNALED(child_end(pid)));
}
END_TEST

START_TEST(test_signals_sent_in_the_order_of_lines)
{
	enum { N = 1000 };
	static char text[N * 8];
	pid_t pid = child_start_as(USER, exit_when_told, NULL);
	int fd = (int)must(process_open(pid, O_WRONLY));

	for (int i = 0; i < N; i++)
		strcat(text, "CONT 1\n");
	ck_assert_int_eq(must(write(fd, text, strlen(text))), strlen(text));
	strcat(text, "FOO\nKILL\n");
	ck_assert_int_eq(must(write(fd, text, strlen(text))), strlen(text) - 9);
	must_fail(write(fd, "FOO\n", 4), EINVAL);
	ck_assert_int_ne(task_state(pid), 'Z');
	must(close(fd));
	must(kill(pid, SIGKILL));
	child_end(pid);
}
END_TEST

/* More than RLIMIT_SIGPENDING: sigqueue(3) fails with EAGAIN, which would mean to wait here. */
static int be_full(void *arg)
{
	const struct rlimit none = {0};
	sigset_t set;

	if (setrlimit(RLIMIT_SIGPENDING, &none) < 0)
		return errno;
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return pause_for_ever(arg);
}

START_TEST(test_signals_sent_beyond_the_limit_enobufs)
{
	pid_t pid = child_start_as(USER, be_full, NULL);

	task_must_block(pid, SYS_pause);
	ck_assert_int_eq(process_send(pid, "RTMIN 1\n"), ENOBUFS);
	send_must(pid, "RTMIN\n"); /* kill(2) drops the siginfo instead */
	must(kill(pid, SIGKILL));
	child_end(pid);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("signals_sent");
	TCase *tcase = suite_case(suite, "signals_sent", 60);

	tcase_add_test(tcase, test_signals_sent_to_oneself_are_no_interruption);
	tcase_add_test(tcase, test_signals_sent_a_process_may_kill_itself);
	tcase_add_test(tcase, test_signals_sent_target_sees_the_sender);
	tcase_add_test(tcase, test_signals_sent_with_nonblock);
	tcase_add_test(tcase, test_signals_sent_in_the_order_of_lines);
	tcase_add_test(tcase, test_signals_sent_beyond_the_limit_enobufs);
	return suite_run(suite);
}
