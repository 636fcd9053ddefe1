/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of processes, whose daemon is killed.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/adopt.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/processes.h"

enum { REQUEST = 78 };

/* Opens the file of a process. Only the file refers to the object then. */
static struct file *open_process(pid_t pid, int flags)
{
	struct channel *channel = object_find(adopt_open(&signal_kind), process_name(pid));
	struct file *file = object_open(channel, flags);

	object_unref(channel);
	return file;
}

static struct file *restart(const struct file *file)
{
	adopt_restart();
	return adopted_file(file);
}

START_TEST(test_adopt_signals_wait_goes_on)
{
	pid_t pid = process_start();
	struct file *file = restart(open_process(pid, O_RDWR));
	struct held held = {0};

	held_read(&held, file, 100);
	file_put(file, "USR1\n");
	process_reap(pid);
	held_wait(&held);
	held_expect(&held, "exited 7\n");
	ck_assert_int_eq(file_try_read(file, 100), 0);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_signals_end_meanwhile_is_told)
{
	pid_t pid = process_start();
	struct file *file = open_process(pid, O_RDONLY);

	kill(pid, SIGUSR1);
	process_reap(pid);
	file = restart(file);
	file_expect(file, 100, "exited 7\n");
	object_close(file);
}
END_TEST

START_TEST(test_adopt_signals_text_read_in_part_goes_on)
{
	pid_t pid = process_start();
	struct file *file = open_process(pid, O_RDONLY);

	kill(pid, SIGKILL);
	process_reap(pid);
	file_expect(file, 7, "killed ");
	file = restart(file);
	file_expect(file, 100, "KILL\n");
	file = restart(file);
	ck_assert_int_eq(file_try_read(file, 100), 0);
	object_close(file);
}
END_TEST

/* The kernel does not tell yet. What one read has said, the next daemon does not say otherwise. */
START_TEST(test_adopt_signals_zombie_stays_ended)
{
	pid_t pid = process_start();
	struct file *file = open_process(pid, O_RDONLY);
	struct held held = {0};

	held_read(&held, file, 1);
	kill(pid, SIGKILL);
	held_wait(&held);
	held_expect(&held, "e");
	process_reap(pid);
	file = restart(file);
	file_expect(file, 100, "nded\n");
	object_close(file);
}
END_TEST

/* The reader's buffer has the text; the file's record says so (_i 1), or not yet. */
START_TEST(test_adopt_signals_text_in_buffer_is_given_once)
{
	pid_t pid = process_start();
	struct file *file = open_process(pid, O_RDONLY);
	uint64_t before;

	kill(pid, SIGUSR1);
	process_reap(pid);
	channel_poll(file);
	before = file->record->words[3];
	journal_read(file, REQUEST, JOURNAL_RECEIVE, 0, 3);
	ck_assert_int_eq(file->channel->ops->read(file, host.scratch, 3, 0), 3);
	if (_i == 0)
		file->record->words[3] = before;
	adopt_again(REQUEST);
	file = restart(file);
	file_expect(file, 3, "exi");
	file_expect(file, 100, "ted 7\n");
	object_close(file);
}
END_TEST

START_TEST(test_adopt_signals_signal_that_was_sent_is_done)
{
	pid_t pid = process_start();
	struct file *file = open_process(pid, O_WRONLY);

	host.journal->request = REQUEST;
	file_put(file, "0\n");
	adopt_again(REQUEST);
	file = restart(file);
	ck_assert_uint_eq(journal_done(&host, REQUEST), SIZE_MAX);
	file_put(file, "KILL\n");
	process_reap(pid);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_signals_opener_keeps_no_more_rights)
{
	pid_t pid = process_start();
	struct channel *channel = object_find(adopt_open(&signal_kind), process_name(pid));
	struct caller member = {.uid = STRANGER, .gid = STRANGER, .is_loaded = true};
	gid_t groups[] = {100, 101};
	struct held held = {0};
	struct file *file;

	member.groups = groups;
	member.n_groups = 2;
	must(object_open_as(channel, O_RDWR, &member, &file));
	object_unref(channel);
	file = restart(file);
	ck_assert_uint_eq(user_charged(&host.users, STRANGER, USER_BYTES), sizeof(groups));
	held_write(&held, file, "KILL", 4);
	held_wait(&held);
	held_expect_result(&held, -EPERM);
	kill(pid, SIGKILL);
	process_reap(pid);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_signals_other_descriptor_is_refused)
{
	pid_t pid = process_start();
	struct file *file = open_process(pid, O_RDONLY);
	int fd = (int)must_call(syscall(SYS_pidfd_open, getpid(), 0));

	adopt_own(fd);
	file->channel->record->fds[0] = fd;
	ck_assert_ptr_null(restart(file));
	kill(pid, SIGKILL);
	process_reap(pid);
	close(fd);
}
END_TEST

START_TEST(test_adopt_signals_without_the_feature_wait_goes_on)
{
	pid_t pid = process_start();
	struct file *file;

	host.features.off |= 1U << FEATURE_PIDFS;
	file = open_process(pid, O_RDONLY);
	ck_assert_uint_eq(file->channel->record->words[1], 0); /* the pidfd's inode */
	file = restart(file);
	must_fail(file_try_read(file, 100), EAGAIN);
	kill(pid, SIGKILL);
	process_reap(pid);
	file_expect(file, 100, "killed KILL\n");
	object_close(file);
}
END_TEST

/* A later process has the pid, and both are open. */
START_TEST(test_adopt_signals_later_process_has_its_own_file)
{
	pid_t pid = process_start();
	struct file *file = open_process(pid, O_RDONLY), *later;
	struct channel *channel;

	kill(pid, SIGKILL);
	process_reap(pid);
	process_start_with_pid(pid);
	channel = object_find(file->channel->space, process_name(pid));
	ck_assert_ptr_ne(channel, file->channel);
	later = object_open(channel, O_RDONLY);
	object_unref(channel);
	adopt_restart();
	file = adopted_file(file);
	later = adopted_file(later);
	channel = object_find(adopted_space(&signal_kind), process_name(pid));
	ck_assert_ptr_eq(channel, later->channel);
	object_unref(channel);
	file_expect(file, 100, "killed KILL\n");
	must_fail(file_try_read(later, 100), EAGAIN);
	kill(pid, SIGKILL);
	process_reap(pid);
	file_expect(later, 100, "killed KILL\n");
	object_close(later);
	object_close(file);
}
END_TEST

START_TEST(test_adopt_signals_incomplete_record_is_refused)
{
	pid_t pid = process_start();
	struct file *file = open_process(pid, O_RDONLY);

	memset(file->channel->record->words, 0, sizeof(file->channel->record->words));
	ck_assert_ptr_null(restart(file));
	ck_assert_int_eq(adopt_error, -EPROTO);
	kill(pid, SIGKILL);
	process_reap(pid);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("adopt_signals");

	suite_add(suite, "files",
		  (const TTest *const[]){
			  test_adopt_signals_wait_goes_on,
			  test_adopt_signals_end_meanwhile_is_told,
			  test_adopt_signals_text_read_in_part_goes_on,
			  test_adopt_signals_zombie_stays_ended,
			  test_adopt_signals_signal_that_was_sent_is_done,
			  test_adopt_signals_opener_keeps_no_more_rights,
			  test_adopt_signals_other_descriptor_is_refused,
			  test_adopt_signals_without_the_feature_wait_goes_on,
			  test_adopt_signals_later_process_has_its_own_file,
			  test_adopt_signals_incomplete_record_is_refused,
			  NULL,
		  });
	suite_add_loop(
		suite, "text",
		(const TTest *const[]){test_adopt_signals_text_in_buffer_is_given_once, NULL}, 2);
	return suite_run(suite);
}
