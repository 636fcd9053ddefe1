/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the end of a process is read.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/processes.h"

START_TEST(test_signal_end_is_waited_for_and_told_once)
{
	pid_t pid = process_start();
	struct file *file = process_open_file(pid, O_RDWR);
	struct held held = {0};

	held_read(&held, file, 100);
	loop_settle();
	ck_assert_uint_eq(held.n, 0);
	file_put(file, "USR1\n");
	process_reap(pid);
	held_wait(&held);
	held_expect(&held, "exited 7\n");
	ck_assert_int_eq(file_try_read(file, 100), 0);
	ck_assert_int_eq(file_try_read(file, 100), 0);
	object_close(file);
}
END_TEST

START_TEST(test_signal_end_read_gives_bytes_one_by_one)
{
	pid_t pid = process_start();
	struct file *file = process_open_file(pid, O_RDONLY);

	kill(pid, SIGKILL);
	process_reap(pid);
	for (const char *c = "killed KILL\n"; *c; c++)
		file_expect(file, 1, (char[]){*c, '\0'});
	ck_assert_int_eq(file_try_read(file, 1), 0);
	object_close(file);
}
END_TEST

/* Nobody reaps, so the kernel does not tell how the process has ended. */
START_TEST(test_signal_end_zombie_has_ended_after_a_moment)
{
	pid_t pid = process_start();
	struct file *file = process_open_file(pid, O_RDONLY);
	struct file *late = process_open_file(pid, O_RDONLY);
	struct held held = {0};

	held_read(&held, file, 100);
	kill(pid, SIGKILL);
	held_wait(&held);
	held_expect(&held, "ended\n");
	ck_assert_int_eq(file_try_read(file, 100), 0);
	process_reap(pid);
	file_expect(late, 100, "killed KILL\n");
	object_close(file);
	object_close(late);
}
END_TEST

START_TEST(test_signal_end_without_the_feature_has_ended_at_once)
{
	pid_t pid = process_start();
	struct file *file = process_open_file(pid, O_RDONLY);

	host.features.off |= 1U << FEATURE_PIDFD_INFO;
	kill(pid, SIGKILL);
	process_reap(pid);
	file_expect(file, 100, "ended\n");
	object_close(file);
}
END_TEST

START_TEST(test_signal_end_poll_tells_the_end)
{
	pid_t pid = process_start();
	struct file *file = process_open_file(pid, O_RDWR);
	struct watch watch = {0};

	ck_assert_uint_eq(channel_poll(file), EPOLLOUT | EPOLLWRNORM);
	watch_start(&watch, file);
	loop_settle();
	ck_assert_uint_eq(watch.n, 0);
	kill(pid, SIGKILL);
	process_reap(pid);
	watch_wait(&watch, 1);
	ck_assert_uint_eq(channel_poll(file) & EPOLLIN, EPOLLIN);
	file_expect(file, 100, "killed KILL\n");
	ck_assert_uint_eq(channel_poll(file) & EPOLLIN, EPOLLIN);
	object_close(file);
}
END_TEST

/* The parent takes its time: as long as it is short, the reader waits for the exit code. */
START_TEST(test_signal_end_of_a_zombie_is_told_once_it_is_reaped)
{
	pid_t pid = process_start();
	struct file *file = process_open_file(pid, O_RDONLY);
	struct held held = {0};

	held_read(&held, file, 100);
	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
	loop_settle();
	ck_assert_uint_eq(held.n, 0);
	process_reap(pid);
	held_wait(&held);
	held_expect(&held, "killed KILL\n");
	object_close(file);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("signal_end");

	suite_add(suite, "end",
		  (const TTest *const[]){
			  test_signal_end_is_waited_for_and_told_once,
			  test_signal_end_read_gives_bytes_one_by_one,
			  test_signal_end_of_a_zombie_is_told_once_it_is_reaped,
			  test_signal_end_zombie_has_ended_after_a_moment,
			  test_signal_end_without_the_feature_has_ended_at_once,
			  test_signal_end_poll_tells_the_end,
			  NULL,
		  });
	return suite_run(suite);
}
