/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The name of a kept FIFO: removed, moved and replaced while processes have the FIFO open, which
 * can still use it natively; mode and owner, which the kernel obeys; and keep=yes and keep=no,
 * which turn a plain FIFO into a kept one and back.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/kept.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_NAME  "pipes/p"
#define OTHER_NAME "pipes/other"

enum { USER = 4321, STRANGER = 65534 };

static const char *pipe_path(void)
{
	return ipc_path(PIPE_NAME);
}

static void carries(int reader, int writer, const char *text)
{
	char buf[64];
	size_t length = strlen(text);

	ck_assert_int_eq(must(write(writer, text, length)), length);
	ck_assert_int_eq(must(read(reader, buf, sizeof(buf))), length);
	ck_assert_mem_eq(buf, text, length);
}

START_TEST(test_names_removed_both_ends_go_on_to_a_native_end)
{
	int reader, writer;
	char byte;

	kept_make(PIPE_NAME);
	reader = kept_reader(pipe_path());
	writer = kept_writer(pipe_path());
	must(unlink(pipe_path()));
	must_fail(access(pipe_path(), F_OK), ENOENT);
	carries(reader, writer, "still");
	must(close(writer));
	ck_assert_int_eq(must(read(reader, &byte, 1)), 0);
}
END_TEST

START_TEST(test_names_removed_reader_gets_what_waits_and_an_end)
{
	int reader;

	if (_i)
		look_command("create " PIPE_NAME " eof=never");
	else
		kept_make(PIPE_NAME);
	reader = kept_reader(pipe_path());
	channel_put(PIPE_NAME, "aaa", 3);
	must(unlink(pipe_path()));
	ck_assert_uint_eq(kept_read_to_end(reader, 'a'), 3);
}
END_TEST

static bool is_broken(void *arg)
{
	return write(*(int *)arg, "x", 1) < 0 && errno == EPIPE;
}

START_TEST(test_names_removed_writer_alone_gets_epipe)
{
	int writer;

	kept_make(PIPE_NAME);
	writer = channel_open(PIPE_NAME, O_WRONLY | O_NONBLOCK);
	must(unlink(pipe_path()));
	ck_assert(wait_until(is_broken, &writer, KEPT_HANGS));
}
END_TEST

static int fill_run(void *arg)
{
	static char data[2 * KEPT_CAPACITY];
	int fd = open(pipe_path(), O_WRONLY);

	(void)arg;
	return fd >= 0 && write(fd, data, sizeof(data)) == KEPT_CAPACITY ? 0 : errno;
}

/*
 * A part of the write has gone in before the removal, so the write ends with a short count. Tests
 * ignore SIGPIPE.
 */
START_TEST(test_names_removed_full_writer_ends)
{
	pid_t pid;

	kept_make(PIPE_NAME);
	pid = child_start(fill_run, NULL);
	task_must_block(pid, SYS_write);
	must(unlink(pipe_path()));
	ck_assert_int_eq(child_end(pid), 0);
}
END_TEST

START_TEST(test_names_made_anew_is_another)
{
	int reader, old;

	kept_make(PIPE_NAME);
	channel_put(PIPE_NAME, "old", 3);
	old = kept_reader(pipe_path());
	must(unlink(pipe_path()));
	kept_make(PIPE_NAME);
	reader = kept_reader(pipe_path());
	ck_assert_int_eq(kept_unread(reader), 0);
	channel_put(PIPE_NAME, "n", 1);
	ck_assert_int_eq(kept_unread(reader), 1);
	ck_assert_int_eq(kept_unread(old), 3);
}
END_TEST

START_TEST(test_names_renamed_with_what_it_holds)
{
	int reader, writer;

	kept_make(PIPE_NAME);
	channel_put(PIPE_NAME, "aaa", 3);
	must(rename(pipe_path(), ipc_path(OTHER_NAME)));
	must_fail(access(pipe_path(), F_OK), ENOENT);
	ck_assert_uint_eq(kept_take_to_end(ipc_path(OTHER_NAME), 'a'), 3);
	reader = kept_reader(ipc_path(OTHER_NAME));
	writer = kept_writer(ipc_path(OTHER_NAME));
	must(rename(ipc_path(OTHER_NAME), pipe_path()));
	carries(reader, writer, "while open");
	must(close(writer));
	channel_put(PIPE_NAME, "aa", 2);
	ck_assert_uint_eq(kept_read_to_end(reader, 'a'), 2);
}
END_TEST

START_TEST(test_names_renamed_onto_one_lets_that_go)
{
	int replaced;

	kept_make(PIPE_NAME);
	kept_make(OTHER_NAME);
	channel_put(PIPE_NAME, "aa", 2);
	channel_put(OTHER_NAME, "bbb", 3);
	replaced = kept_reader(ipc_path(OTHER_NAME));
	must(rename(pipe_path(), ipc_path(OTHER_NAME)));
	ck_assert_uint_eq(kept_read_to_end(replaced, 'b'), 3);
	ck_assert_uint_eq(kept_take_to_end(ipc_path(OTHER_NAME), 'a'), 2);
}
END_TEST

static int open_run(void *flags)
{
	return open(pipe_path(), *(int *)flags | O_NONBLOCK) < 0 ? errno : 0;
}

static int open_as(unsigned int id, int flags)
{
	return child_code_as(id, open_run, &flags);
}

START_TEST(test_names_mode_and_owner_decide)
{
	struct stat st;

	kept_make(PIPE_NAME);
	must(chmod(pipe_path(), 0640));
	must(chown(pipe_path(), USER, USER));
	must(stat(pipe_path(), &st));
	ck_assert_uint_eq(st.st_mode, S_IFIFO | 0640);
	ck_assert_uint_eq(st.st_uid, USER);
	ck_assert_int_eq(open_as(USER, O_RDONLY), 0);
	ck_assert_int_eq(open_as(USER, O_WRONLY), 0);
	ck_assert_int_eq(open_as(STRANGER, O_RDONLY), EACCES);
	ck_assert_int_eq(open_as(STRANGER, O_WRONLY), EACCES);
	must(chmod(pipe_path(), 0604));
	ck_assert_int_eq(open_as(STRANGER, O_RDONLY), 0);
	ck_assert_int_eq(open_as(STRANGER, O_RDWR), EACCES);
}
END_TEST

static int make_run(void *arg)
{
	struct stat st;
	int fd;

	(void)arg;
	umask(027);
	fd = open(pipe_path(), O_WRONLY | O_CREAT, 0666);
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno;
	return st.st_mode == (S_IFIFO | 0640) && st.st_uid == USER && st.st_gid == USER ? 0 : EPERM;
}

static int unlink_run(void *arg)
{
	(void)arg;
	return unlink(pipe_path()) < 0 ? errno : 0;
}

START_TEST(test_names_made_by_a_user_is_the_users)
{
	child_must_as(USER, make_run, NULL);
	ck_assert_int_eq(child_code_as(STRANGER, unlink_run, NULL), EPERM);
	child_must_as(USER, unlink_run, NULL);
}
END_TEST

static int write_plain_run(void *arg)
{
	int fd = open(pipe_path(), O_WRONLY);

	(void)arg;
	return fd < 0 || write(fd, "plain", 5) != 5 ? errno : 0;
}

/*
 * Whether the FIFO has no reader any more. A thread closes the ends that the daemon lets go, so
 * this may take a moment.
 */
static bool has_no_reader(void *arg)
{
	int fd = open(pipe_path(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == ENXIO;
}

static void must_be_plain(void)
{
	char buf[16];
	int reader, writer;
	pid_t pid;

	ck_assert(wait_until(has_no_reader, NULL, KEPT_LETS_GO));
	pid = child_start(write_plain_run, NULL);
	task_must_wait_for_partner(pid);
	reader = channel_open(PIPE_NAME, O_RDONLY);
	ck_assert_int_eq(must(read(reader, buf, sizeof(buf))), 5);
	ck_assert_int_eq(child_end(pid), 0);
	ck_assert_int_eq(must(read(reader, buf, sizeof(buf))), 0);
	writer = channel_open(PIPE_NAME, O_WRONLY);
	must(close(reader));
	must_fail(write(writer, "x", 1), EPIPE);
	must(close(writer));
}

START_TEST(test_names_mkfifo_is_plain_until_it_is_kept)
{
	must(mkfifo(pipe_path(), 0600));
	must_be_plain();
	ck_assert(kept_is_held(PIPE_NAME, "no"));
	look_command("set " PIPE_NAME " keep=yes");
	channel_put(PIPE_NAME, "aaaaa", 5);
	kept_await_held(PIPE_NAME, "both");
	ck_assert_uint_eq(kept_take_to_end(pipe_path(), 'a'), 5);
	look_command("set " PIPE_NAME " keep=no");
	kept_await_held(PIPE_NAME, "no");
	must_be_plain();
}
END_TEST

START_TEST(test_names_kept_no_more_data_stays_with_its_reader)
{
	int reader;

	kept_make(PIPE_NAME);
	channel_put(PIPE_NAME, "aaa", 3);
	reader = kept_reader(pipe_path());
	look_command("set " PIPE_NAME " keep=no");
	ck_assert_uint_eq(kept_read_to_end(reader, 'a'), 3);
	must(close(reader));
	must_be_plain();
}
END_TEST

START_TEST(test_names_plain_one_in_use_is_kept_from_then_on)
{
	int reader, writer;

	must(mkfifo(pipe_path(), 0600));
	reader = kept_reader(pipe_path());
	writer = kept_writer(pipe_path());
	ck_assert_int_eq(must(write(writer, "aaa", 3)), 3);
	look_command("set " PIPE_NAME " keep=yes");
	must(close(reader));
	ck_assert_int_eq(must(write(writer, "aa", 2)), 2);
	must(close(writer));
	ck_assert_uint_eq(kept_take_to_end(pipe_path(), 'a'), 5);
}
END_TEST

START_TEST(test_names_truncate_is_refused_empty_empties)
{
	kept_make(PIPE_NAME);
	channel_put(PIPE_NAME, "aaa", 3);
	must_fail(truncate(pipe_path(), 0), EINVAL);
	must(close(channel_open(PIPE_NAME, O_WRONLY | O_TRUNC)));
	ck_assert_int_eq(look_for(PIPE_NAME, "bytes"), 3);
	look_command("empty " PIPE_NAME);
	ck_assert_int_eq(look_for(PIPE_NAME, "bytes"), 0);
	channel_put(PIPE_NAME, "b", 1);
	ck_assert_uint_eq(kept_take_to_end(pipe_path(), 'b'), 1);
}
END_TEST

static void add_removed(TCase *tcase)
{
	kept_add(tcase, test_names_removed_both_ends_go_on_to_a_native_end);
	kept_add_loop(tcase, test_names_removed_reader_gets_what_waits_and_an_end, 2);
	kept_add(tcase, test_names_removed_writer_alone_gets_epipe);
	kept_add(tcase, test_names_removed_full_writer_ends);
	kept_add(tcase, test_names_made_anew_is_another);
}

int main(void)
{
	Suite *suite = suite_create("kept_names");
	TCase *tcase = suite_case(suite, "names", 60);

	add_removed(tcase);
	kept_add(tcase, test_names_renamed_with_what_it_holds);
	kept_add(tcase, test_names_renamed_onto_one_lets_that_go);
	kept_add(tcase, test_names_mode_and_owner_decide);
	kept_add(tcase, test_names_made_by_a_user_is_the_users);
	tcase = suite_case(suite, "keep", 60);
	kept_add(tcase, test_names_mkfifo_is_plain_until_it_is_kept);
	kept_add(tcase, test_names_kept_no_more_data_stays_with_its_reader);
	kept_add(tcase, test_names_plain_one_in_use_is_kept_from_then_on);
	kept_add(tcase, test_names_truncate_is_refused_empty_empties);
	return suite_run(suite);
}
