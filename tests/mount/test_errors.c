/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the mount refuses, and with which errno: messages too large, names too long, objects where
 * none can be made, links and renames that the kernel does not offer for an object. After every
 * refusal, what was there is still there.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/native.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* One object of each kind, and the directories in which they are made. */
static const char *const object_names[] = {"pipes/p", "queues/q", "sysv/queues/0x000004d2",
					   "shm/s"};
static const char *const dir_names[] = {"pipes", "queues", "sysv/queues", "shm"};

enum { SHM = N_CHANNELS, N_KINDS };

static char big[MESSAGE_MAX + 1];

START_TEST(test_errors_message_too_large_nothing_sent)
{
	int fd;

	channel_make("queues/q");
	fd = channel_open("queues/q", O_WRONLY);
	must_fail(write(fd, big, sizeof(big)), EMSGSIZE);
	ck_assert_int_eq(native_messages("/q"), 0);
	ck_assert_int_eq(must(write(fd, big, MESSAGE_MAX)), MESSAGE_MAX);
	ck_assert_int_eq(native_messages("/q"), 1);
}
END_TEST

START_TEST(test_errors_message_of_mebibytes_nothing_sent)
{
	size_t size = 3 << 20;
	char *huge = malloc(size);
	int fd;

	ck_assert_ptr_nonnull(huge);
	memset(huge, 'x', size);
	channel_make("queues/q");
	fd = channel_open("queues/q", O_WRONLY);
	must_fail(write(fd, huge, size), EMSGSIZE);
	free(huge);
	ck_assert_int_eq(native_messages("/q"), 0);
}
END_TEST

START_TEST(test_errors_message_too_large_while_full_does_not_wait)
{
	int fd;

	channel_make("queues/q");
	channel_fill("queues/q");
	fd = channel_open("queues/q", O_WRONLY | O_NONBLOCK);
	must_fail(write(fd, big, sizeof(big)), EMSGSIZE);
}
END_TEST

START_TEST(test_errors_empty_write_sends_nothing)
{
	int fd;

	channel_make(channel_names[_i]);
	fd = channel_open(channel_names[_i], O_RDWR | O_NONBLOCK);
	ck_assert_int_eq(must(write(fd, big, 0)), 0);
	must_fail(read(fd, big, sizeof(big)), EAGAIN);
}
END_TEST

START_TEST(test_errors_wrong_direction_ebadf)
{
	int in, out;

	channel_make(object_names[_i]);
	in = channel_open(object_names[_i], O_RDONLY | O_NONBLOCK);
	out = channel_open(object_names[_i], O_WRONLY);
	must_fail(write(in, "x", 1), EBADF);
	must_fail(read(out, big, 1), EBADF);
}
END_TEST

static const char *long_name(const char *dir, int length)
{
	static char name[400];

	ck_assert_int_lt(length, 350);
	snprintf(name, sizeof(name), "%s/%0*d", dir, length, 0);
	return ipc_path(name);
}

START_TEST(test_errors_name_too_long_enametoolong)
{
	struct stat st;

	must_fail(open(long_name(dir_names[_i], 256), O_RDWR | O_CREAT, 0600), ENAMETOOLONG);
	must_fail(stat(long_name(dir_names[_i], 256), &st), ENAMETOOLONG);
	must_fail(unlink(long_name(dir_names[_i], 300)), ENAMETOOLONG);
}
END_TEST

START_TEST(test_errors_longest_name_works_or_einval)
{
	if (_i == SYSV_QUEUE) { /* its names are keys */
		must_fail(open(long_name(dir_names[_i], 255), O_RDWR | O_CREAT, 0600), EINVAL);
		return;
	}
	must(close(open(long_name(dir_names[_i], 255), O_RDWR | O_CREAT, 0600)));
	must(access(long_name(dir_names[_i], 255), F_OK));
	must(unlink(long_name(dir_names[_i], 255)));
}
END_TEST

START_TEST(test_errors_missing_name_enoent)
{
	struct stat st;

	must_fail(open(ipc_path(object_names[_i]), O_RDWR), ENOENT);
	must_fail(stat(ipc_path(object_names[_i]), &st), ENOENT);
	must_fail(unlink(ipc_path(object_names[_i])), ENOENT);
	must_fail(truncate(ipc_path(object_names[_i]), 0), ENOENT);
	must_fail(chmod(ipc_path(object_names[_i]), 0600), ENOENT);
}
END_TEST

START_TEST(test_errors_existing_name_exclusive_eexist)
{
	channel_make(object_names[_i]);
	must_fail(open(ipc_path(object_names[_i]), O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
	must_fail(mkdir(ipc_path(object_names[_i]), 0700), EEXIST);
}
END_TEST

START_TEST(test_errors_object_used_as_directory_enotdir)
{
	char name[64];

	channel_make(object_names[_i]);
	snprintf(name, sizeof(name), "%s/below", object_names[_i]);
	must_fail(access(ipc_path(name), F_OK), ENOTDIR);
	must_fail(open(ipc_path(object_names[_i]), O_RDONLY | O_DIRECTORY), ENOTDIR);
	must_fail(rmdir(ipc_path(object_names[_i])), ENOTDIR);
}
END_TEST

START_TEST(test_errors_create_in_root_eperm)
{
	must_fail(open(ipc_path("new"), O_RDWR | O_CREAT, 0600), EPERM);
	must_fail(mkdir(ipc_path("new"), 0700), EPERM);
	must_fail(mkfifo(ipc_path("new"), 0600), EPERM);
	must_fail(symlink("target", ipc_path("new")), EPERM);
}
END_TEST

START_TEST(test_errors_remove_from_root_refused)
{
	char other[32];

	ck_assert_int_eq(rmdir(ipc_path(dir_names[_i])), -1);
	ck_assert(errno == EPERM || errno == ENOTEMPTY || errno == EBUSY);
	snprintf(other, sizeof(other), "%s-other", dir_names[_i]);
	must_fail(rename(ipc_path(dir_names[_i]), ipc_path(other)), EPERM);
	must(access(ipc_path(dir_names[_i]), F_OK));
}
END_TEST

static const char *in_dir(const char *dir, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return ipc_path(path);
}

START_TEST(test_errors_mkdir_eperm)
{
	must_fail(mkdir(in_dir(dir_names[_i], "d"), 0700), EPERM);
}
END_TEST

START_TEST(test_errors_symlink_eperm)
{
	must_fail(symlink("target", in_dir(dir_names[_i], "l")), EPERM);
}
END_TEST

START_TEST(test_errors_link_eperm)
{
	channel_make(object_names[_i]);
	must_fail(link(ipc_path(object_names[_i]), in_dir(dir_names[_i], "l")), EPERM);
}
END_TEST

START_TEST(test_errors_device_node_eperm)
{
	must_fail(mknod(in_dir(dir_names[_i], "n"), S_IFCHR | 0600, 0x103), EPERM);
	must_fail(mknod(in_dir(dir_names[_i], "n"), S_IFBLK | 0600, 0x103), EPERM);
}
END_TEST

START_TEST(test_errors_queue_rename_eperm)
{
	channel_make("queues/q");
	must_fail(rename(ipc_path("queues/q"), ipc_path("queues/r")), EPERM);
	must(access(ipc_path("queues/q"), F_OK));
}
END_TEST

START_TEST(test_errors_rename_across_directories_eperm)
{
	const char *from = object_names[_i];
	const char *to = in_dir(dir_names[(_i + 1) % N_KINDS], "moved");

	channel_make(from);
	must_fail(rename(ipc_path(from), to), EPERM);
	must(access(ipc_path(from), F_OK));
}
END_TEST

START_TEST(test_errors_pipe_renamed_keeps_its_data)
{
	char buf[16];

	channel_make("pipes/p");
	channel_put("pipes/p", "moves along", 11);
	must(rename(ipc_path("pipes/p"), ipc_path("pipes/r")));
	must_fail(access(ipc_path("pipes/p"), F_OK), ENOENT);
	ck_assert_int_eq(must(channel_take("pipes/r", buf, sizeof(buf))), 11);
}
END_TEST

START_TEST(test_errors_rename_noreplace_existing_eexist)
{
	const char *name = _i ? "shm/s" : "pipes/p";
	const char *other = _i ? "shm/t" : "pipes/t";

	channel_make(name);
	channel_make(other);
	must_fail(renameat2(AT_FDCWD, ipc_path(name), AT_FDCWD, ipc_path(other), RENAME_NOREPLACE),
		  EEXIST);
	must(access(ipc_path(name), F_OK));
}
END_TEST

START_TEST(test_errors_truncate_to_nothing_empties)
{
	channel_make(channel_names[_i]);
	channel_put(channel_names[_i], "gone", 4);
	must(truncate(ipc_path(channel_names[_i]), 0));
	ck_assert_uint_eq(channel_drain(channel_names[_i]), 0);
}
END_TEST

START_TEST(test_errors_ftruncate_to_nothing_empties)
{
	channel_make(channel_names[_i]);
	channel_put(channel_names[_i], "gone", 4);
	must(ftruncate(channel_open(channel_names[_i], O_RDWR), 0));
	ck_assert_uint_eq(channel_drain(channel_names[_i]), 0);
}
END_TEST

START_TEST(test_errors_truncate_to_some_size_einval_loses_nothing)
{
	channel_make(channel_names[_i]);
	channel_put(channel_names[_i], "kept", 4);
	must_fail(truncate(ipc_path(channel_names[_i]), 2), EINVAL);
	must_fail(truncate(ipc_path(channel_names[_i]), 4096), EINVAL);
	ck_assert_uint_eq(channel_drain(channel_names[_i]), 4);
}
END_TEST

/* The kernel itself refuses to truncate a FIFO. What is in it must survive. */
START_TEST(test_errors_fifo_truncated_einval_loses_nothing)
{
	int fd;

	channel_make("pipes/p");
	channel_put("pipes/p", "kept", 4);
	fd = channel_open("pipes/p", O_RDWR);
	must_fail(truncate(ipc_path("pipes/p"), 0), EINVAL);
	must_fail(truncate(ipc_path("pipes/p"), 2), EINVAL);
	must_fail(ftruncate(fd, 0), EINVAL);
	must(close(fd));
	ck_assert_uint_eq(channel_drain("pipes/p"), 4);
}
END_TEST

START_TEST(test_errors_truncate_while_reader_waits_gives_no_eof)
{
	char buf[16];
	int fd;

	channel_make("pipes/p");
	fd = channel_open("pipes/p", O_RDONLY | O_NONBLOCK);
	must(truncate(ipc_path("pipes/p"), 0));
	must_fail(read(fd, buf, sizeof(buf)), EAGAIN);
}
END_TEST

START_TEST(test_errors_queue_limits_of_system_hold)
{
	ck_assert_int_eq(system("echo 2 > /proc/sys/fs/mqueue/msg_default"), 0);
	ck_assert_int_eq(system("echo 128 > /proc/sys/fs/mqueue/msgsize_default"), 0);
	channel_make("queues/q");
	ck_assert_uint_eq(channel_drain("queues/q"), 0);
	must_fail(write(channel_open("queues/q", O_WRONLY), big, 129), EMSGSIZE);
	channel_put("queues/q", big, 128);
	channel_put("queues/q", big, 128);
	must_fail(write(channel_open("queues/q", O_WRONLY | O_NONBLOCK), big, 1), EAGAIN);
}
END_TEST

static void add_name_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, test_errors_name_too_long_enametoolong, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_errors_longest_name_works_or_einval, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_errors_missing_name_enoent, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_errors_existing_name_exclusive_eexist, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_errors_object_used_as_directory_enotdir, 0, N_KINDS);
	tcase_add_test(tcase, test_errors_create_in_root_eperm);
	tcase_add_loop_test(tcase, test_errors_remove_from_root_refused, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_errors_mkdir_eperm, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_errors_symlink_eperm, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_errors_link_eperm, 0, N_KINDS);
	tcase_add_loop_test(tcase, test_errors_device_node_eperm, 0, N_KINDS);
	tcase_add_test(tcase, test_errors_queue_rename_eperm);
	tcase_add_loop_test(tcase, test_errors_rename_across_directories_eperm, 0, N_KINDS);
	tcase_add_test(tcase, test_errors_pipe_renamed_keeps_its_data);
	tcase_add_loop_test(tcase, test_errors_rename_noreplace_existing_eexist, 0, 2);
}

static void add_served_tests(TCase *tcase)
{
	tcase_add_test(tcase, test_errors_pipe_renamed_keeps_its_data);
	tcase_add_loop_test(tcase, test_errors_empty_write_sends_nothing, PIPE, PIPE + 1);
	tcase_add_loop_test(tcase, test_errors_wrong_direction_ebadf, PIPE, PIPE + 1);
	tcase_add_loop_test(tcase, test_errors_truncate_to_nothing_empties, 0, N_CHANNELS);
	tcase_add_loop_test(tcase, test_errors_ftruncate_to_nothing_empties, 0, N_CHANNELS);
	tcase_add_loop_test(tcase, test_errors_truncate_to_some_size_einval_loses_nothing, 0,
			    N_CHANNELS);
	tcase_add_test(tcase, test_errors_truncate_while_reader_waits_gives_no_eof);
}

int main(void)
{
	Suite *suite = suite_create("errors");
	TCase *tcase = suite_case(suite, "names", 20);

	add_name_tests(tcase);
	tcase = suite_case(suite, "data", 20);
	tcase_add_test(tcase, test_errors_message_too_large_nothing_sent);
	tcase_add_test(tcase, test_errors_message_of_mebibytes_nothing_sent);
	tcase_add_test(tcase, test_errors_message_too_large_while_full_does_not_wait);
	tcase_add_loop_test(tcase, test_errors_empty_write_sends_nothing, 0, N_CHANNELS);
	tcase_add_loop_test(tcase, test_errors_wrong_direction_ebadf, 0, N_KINDS);
	case_add_needing(tcase, test_errors_fifo_truncated_einval_loses_nothing, 0, "open_tree");
	tcase_add_test(tcase, test_errors_queue_limits_of_system_hold);
	add_served_tests(suite_case_served(suite, "served", 20));
	return suite_run(suite);
}
