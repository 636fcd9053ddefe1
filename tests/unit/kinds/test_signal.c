/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes as files: which exist, what is told of them, and what is written to them. What takes
 * other users' processes as callers is in tests/mount/test_attack_signals.c.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/peer.h"
#include "tests/unit/processes.h"

START_TEST(test_signal_list_has_the_processes_once)
{
	struct space *space = fixture_open(&signal_kind);
	pid_t pid = process_start();
	mode_t mode;
	ino_t ino;

	ck_assert_int_eq(space_list_find(space, process_name(pid), &ino, &mode), 1);
	ck_assert_uint_eq(ino, (ino_t)pid);
	ck_assert_uint_eq(mode, S_IFREG);
	ck_assert_int_eq(space_list_find(space, "self", &ino, &mode), 0);
	kill(pid, SIGKILL);
	process_reap(pid);
	ck_assert_int_eq(space_list_find(space, process_name(pid), &ino, &mode), 0);
}
END_TEST

static void *sleep_in_thread(void *data)
{
	atomic_store((_Atomic pid_t *)data, gettid());
	pause();
	return NULL;
}

START_TEST(test_signal_no_process_is_not_found)
{
	static const char *const names[] = {"0",   "-1", "+1", "01", " 1",       "1 ",
					    "0x1", "",   "x",  "1x", "99999999", "4194304"};
	struct space *space = fixture_open(&signal_kind);
	_Atomic pid_t tid = 0;
	pthread_t thread;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		must_fail(object_lookup(space, names[i], NULL), ENOENT);
	ck_assert_int_eq(pthread_create(&thread, NULL, sleep_in_thread, &tid), 0);
	while (!atomic_load(&tid))
		sched_yield();
	must_fail(object_lookup(space, process_name(tid), NULL), ENOENT);
	must(object_lookup(space, process_name(getpid()), NULL));
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}
END_TEST

START_TEST(test_signal_stat_is_that_of_the_process)
{
	pid_t pid = peer_start(&(struct peer){.uid = 1001});
	struct channel *channel = object_find(fixture_open(&signal_kind), process_name(pid));
	struct stat attr = object_stat(channel);

	ck_assert_uint_eq(attr.st_uid, 1001);
	ck_assert_uint_eq(attr.st_gid, 1001);
	ck_assert_uint_eq(attr.st_mode, S_IFREG | 0666);
	ck_assert_uint_eq(attr.st_ino, (ino_t)pid);
	ck_assert_int_le(labs(attr.st_mtime - time(NULL)), 2);
	must_fail(object_chmod(channel, 0600, &root), EPERM);
	must_fail(object_truncate(channel, 0, &root), EINVAL);
	object_unref(channel);
	peer_stop(pid);
}
END_TEST

START_TEST(test_signal_names_can_not_be_made_or_removed)
{
	struct space *space = fixture_open(&signal_kind);
	struct channel *channel;
	pid_t pid = process_start();

	must_fail(object_create(space, "x", S_IFREG | 0600, &root, &channel), EPERM);
	must_fail(object_create(space, "4194303", S_IFREG | 0600, &root, &channel), ESRCH);
	must_fail(object_create(space, "4194303", S_IFDIR | 0700, &root, &channel), EPERM);
	must_fail(space_remove(space, process_name(pid), &root), EPERM);
	must_fail(space_rename(space, process_name(pid), "1", 0, &root), EPERM);
	kill(pid, SIGKILL);
	process_reap(pid);
}
END_TEST

START_TEST(test_signal_files_share_one_descriptor)
{
	enum { N = 50 };
	pid_t pid = process_start();
	struct channel *channel = object_find(fixture_open(&signal_kind), process_name(pid));
	int before = fixture_descriptors();
	struct file *files[N];

	for (int i = 0; i < N; i++)
		files[i] = object_open(channel, O_RDONLY);
	ck_assert_int_eq(fixture_descriptors(), before + 1);
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_DESCRIPTORS), 1);
	for (int i = 0; i < N; i++)
		object_close(files[i]);
	ck_assert_int_eq(fixture_descriptors(), before);
	object_unref(channel);
	kill(pid, SIGKILL);
	process_reap(pid);
}
END_TEST

START_TEST(test_signal_ended_process_can_not_be_opened_or_sent_any)
{
	pid_t pid = process_start();
	struct channel *channel = object_find(fixture_open(&signal_kind), process_name(pid));
	struct file *file = process_open_file(pid, O_WRONLY), *none;

	kill(pid, SIGKILL);
	process_reap(pid);
	must_fail(channel_write(file, "0\n", 2, 0), ESRCH);
	object_close(file);
	must_fail(object_open_as(channel, O_WRONLY, &root, &none), ENOENT);
	object_unref(channel);
}
END_TEST

START_TEST(test_signal_recycled_pid_is_another_process)
{
	pid_t pid = process_start();
	struct space *space = fixture_open(&signal_kind);
	struct channel *old = object_find(space, process_name(pid)), *new;
	struct file *file = object_open(old, O_RDWR), *none;

	kill(pid, SIGKILL);
	process_reap(pid);
	process_start_with_pid(pid);
	must_fail(channel_write(file, "KILL\n", 5, 0), ESRCH);
	file_expect(file, 100, "killed KILL\n");
	object_close(file);
	must_fail(object_open_as(old, O_WRONLY, &root, &none), ESTALE);
	new = object_find(space, process_name(pid));
	ck_assert_ptr_ne(old, new);
	ck_assert_str_eq(object_status(old, &root), "");
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0); /* it lives */
	object_unref(old);
	object_unref(new);
	kill(pid, SIGKILL);
	process_reap(pid);
}
END_TEST

/* The old one is held by its pidfd (0), or known by its start, in clock ticks (1). */
START_TEST(test_signal_recycled_pid_is_another_process_without_the_feature)
{
	pid_t pid = process_start();
	struct space *space = fixture_open(&signal_kind);
	struct channel *old, *new;
	struct file *file = NULL;

	host.features.off |= 1U << FEATURE_PIDFS;
	old = object_find(space, process_name(pid));
	if (_i == 0)
		file = object_open(old, O_RDONLY);
	new = object_find(space, process_name(pid));
	ck_assert_ptr_eq(old, new);
	object_unref(new);
	kill(pid, SIGKILL);
	process_reap(pid);
	if (_i == 1)
		usleep(2 * 1000000 / (useconds_t)sysconf(_SC_CLK_TCK));
	process_start_with_pid(pid);
	new = object_find(space, process_name(pid));
	ck_assert_ptr_ne(old, new);
	if (file)
		object_close(file);
	object_unref(old);
	object_unref(new);
	kill(pid, SIGKILL);
	process_reap(pid);
}
END_TEST

START_TEST(test_signal_lines_are_signals_up_to_the_first_wrong_one)
{
	static const char *const wrong[] = {"FOO",  "TERM 1 2",         "TERM x", "TERM 2147483648",
					    "15.5", "TERM -2147483649", "-15"};
	pid_t pid = process_start();
	struct file *file = process_open_file(pid, O_WRONLY);

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		must_fail(channel_write(file, wrong[i], strlen(wrong[i]), 0), EINVAL);
	file_put(file, "\n");
	file_put(file, "0\n\n  sigcont \t-2147483648\r\n0");
	ck_assert_int_eq(channel_write(file, "0\n0\nFOO\nKILL\n", 13, 0), 4);
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	file_put(file, "KILL");
	process_reap(pid);
	object_close(file);
}
END_TEST

START_TEST(test_signal_text_that_is_cut_or_long_is_refused)
{
	static char text[65537];
	struct file *file = process_open_file(getpid(), O_WRONLY);

	memset(text, '\n', sizeof(text));
	must_fail(channel_write(file, text, sizeof(text), 0), EMSGSIZE);
	ck_assert_int_eq(channel_write(file, text, sizeof(text) - 1, 0), sizeof(text) - 1);
	text[4094] = '0';
	text[4095] = '0'; /* as if 0 and not 00000 were meant */
	must_fail(channel_write(file, text, 4096, 0), EINVAL);
	object_close(file);
}
END_TEST

static void handle(int number)
{
}

START_TEST(test_signal_status_names_signals)
{
	struct channel *channel = object_find(fixture_open(&signal_kind), process_name(getpid()));
	const char *status;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 2);
	sigprocmask(SIG_SETMASK, &set, NULL);
	signal(SIGHUP, SIG_IGN);
	signal(SIGWINCH, handle);
	raise(SIGUSR1);               /* pending for the thread */
	kill(getpid(), SIGRTMIN + 2); /* for the process */
	status = object_status(channel, &root);
	ck_assert_ptr_nonnull(strstr(status, "\npending USR1,RTMIN+2\n"));
	ck_assert_ptr_nonnull(strstr(status, "\nblocked USR1,RTMIN+2\n"));
	ck_assert_ptr_nonnull(strstr(status, "\nignored HUP"));
	ck_assert_ptr_nonnull(strstr(status, "WINCH\n"));
	object_unref(channel);
}
END_TEST

START_TEST(test_signal_status_of_a_zombie)
{
	pid_t pid = process_start();
	struct channel *channel = object_find(fixture_open(&signal_kind), process_name(pid));

	kill(pid, SIGKILL);
	waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
	ck_assert_ptr_nonnull(strstr(object_status(channel, &root), "\nstate zombie\n"));
	object_unref(channel);
	process_reap(pid);
}
END_TEST

START_TEST(test_signal_command_is_what_the_process_chose)
{
	struct channel *channel = object_find(fixture_open(&signal_kind), process_name(getpid()));

	prctl(PR_SET_NAME, "a\n\\b");
	ck_assert_ptr_nonnull(strstr(object_status(channel, &root), "command a\\x0a\\b\n"));
	object_unref(channel);
}
END_TEST

START_TEST(test_signal_without_descriptors_is_not_opened)
{
	struct channel *channel = object_find(fixture_open(&signal_kind), process_name(getpid()));
	struct file *file;

	host.users.limits[USER_DESCRIPTORS] = 0;
	must_fail(object_open_as(channel, O_RDWR, &root, &file), ENFILE);
	host.users.limits[USER_DESCRIPTORS] = 1;
	fixture_limit_descriptors(0);
	must_fail(object_open_as(channel, O_RDWR, &root, &file), ENFILE);
	must_fail(object_lookup(channel->space, "1", NULL), ENFILE);
	fixture_unlimit_descriptors();
	must(object_open_as(channel, O_RDWR, &root, &file));
	object_close(file);
	object_unref(channel);
}
END_TEST

START_TEST(test_signal_caller_of_another_pid_namespace_eperm)
{
	struct caller caller = {.uid = 1001, .gid = 1001};
	struct space *space = fixture_open(&signal_kind);
	struct entry entry;
	struct selector selector;

	host.namespaces.foreign = 0;
	must_fail(space_lookup(space, "1", &caller, &entry, &selector), EPERM);
	host.namespaces.foreign = 1U << NAMESPACE_PID;
	must(space_lookup(space, "1", &caller, &entry, &selector));
	entry_unref(&entry);
	caller_fini(&caller);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("signal");

	suite_add(suite, "names",
		  (const TTest *const[]){
			  test_signal_list_has_the_processes_once,
			  test_signal_no_process_is_not_found,
			  test_signal_stat_is_that_of_the_process,
			  test_signal_names_can_not_be_made_or_removed,
			  test_signal_recycled_pid_is_another_process,
			  test_signal_caller_of_another_pid_namespace_eperm,
			  test_signal_status_names_signals,
			  test_signal_status_of_a_zombie,
			  test_signal_command_is_what_the_process_chose,
			  NULL,
		  });
	suite_add(suite, "files",
		  (const TTest *const[]){
			  test_signal_files_share_one_descriptor,
			  test_signal_ended_process_can_not_be_opened_or_sent_any,
			  test_signal_lines_are_signals_up_to_the_first_wrong_one,
			  test_signal_text_that_is_cut_or_long_is_refused,
			  test_signal_without_descriptors_is_not_opened,
			  NULL,
		  });
	suite_add_loop(suite, "without",
		       (const TTest *const[]){
			       test_signal_recycled_pid_is_another_process_without_the_feature,
			       NULL,
		       },
		       2);
	return suite_run(suite);
}
