/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After an ls -l, the kernel keeps attributes and names for a moment. The attributes may be used,
 * and the names must not lead to the same inode twice. Lists are read right before each use,
 * because the moment is short.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_PIPES = 20, N_PROCESSES = 4, N_ROUNDS = 200, N_BLOCKED_ROUNDS = 30 };

/* Lists pipes/ as ls -l does, with each entry's attributes. Returns the number of entries. */
static int list_long(void)
{
	DIR *dir = opendir(ipc_path("pipes"));
	struct dirent *entry;
	struct stat attr;
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		must(fstatat(dirfd(dir), entry->d_name, &attr, AT_SYMLINK_NOFOLLOW));
		ck_assert_uint_eq(attr.st_ino, entry->d_ino);
		ck_assert_uint_eq(attr.st_mode & S_IFMT, DTTOIF(entry->d_type));
		n++;
	}
	closedir(dir);
	return n;
}

static const char *pipe_path(int number)
{
	char name[32];

	snprintf(name, sizeof(name), "pipes/listed-%d", number);
	return ipc_path(name);
}

static void pipes_make(void)
{
	char name[32];

	for (int i = 0; i < N_PIPES; i++) {
		snprintf(name, sizeof(name), "pipes/listed-%d", i);
		channel_make(name);
	}
}

/* Opens a pipe that has just been listed. Several processes do so at the same time. */
static int list_and_open(void *arg)
{
	char byte = 'x';

	for (int round = 0; round < N_ROUNDS; round++) {
		const char *path = pipe_path(round % N_PIPES);
		int fds[2];

		ck_assert_int_eq(list_long(), N_PIPES);
		fds[0] = (int)must(open(path, O_RDWR));
		fds[1] = (int)must(open(path, O_WRONLY | O_TRUNC | O_CREAT, 0600));
		must(write(fds[1], &byte, 1));
		must(read(fds[0], &byte, 1));
		must(close(fds[0]));
		must(close(fds[1]));
	}
	return 0;
}

START_TEST(test_listed_pipes_can_be_opened_by_many)
{
	pid_t children[N_PROCESSES];

	pipes_make();
	for (int i = 0; i < N_PROCESSES; i++)
		children[i] = child_start(list_and_open, NULL);
	for (int i = 0; i < N_PROCESSES; i++)
		ck_assert_int_eq(child_end(children[i]), 0);
}
END_TEST

static int ready[2];

/* Waits in write(2), having opened the pipe by a name that the kernel has from the list. */
static int list_and_block(void *arg)
{
	int fd;

	list_long();
	fd = (int)must(open(pipe_path(0), O_WRONLY));
	must(write(ready[1], "", 1));
	must(write(fd, "more", 4));
	return 0;
}

static int remove_first(void *arg)
{
	must(chmod(pipe_path(0), 0640));
	must(unlink(pipe_path(0)));
	return 0;
}

/* rm must not wait for locks while the kernel may still have the name from the list. */
START_TEST(test_listed_pipe_with_a_blocked_writer_can_be_removed)
{
	char byte;

	must(pipe(ready));
	for (int round = 0; round < N_BLOCKED_ROUNDS; round++) {
		pid_t writer, remover;

		channel_make("pipes/listed-0");
		channel_fill("pipes/listed-0");
		writer = child_start(list_and_block, NULL);
		must(read(ready[0], &byte, 1));
		remover = child_start(remove_first, NULL);
		if (!child_has_ended(remover, 5000)) {
			mount_abort(&ipc);
			ck_abort_msg("rm waits for the writer");
		}
		ck_assert_int_eq(child_end(remover), 0);
		must(kill(writer, SIGKILL));
		child_end(writer);
	}
}
END_TEST

START_TEST(test_listed_attributes_are_those_of_now)
{
	struct stat attr;

	pipes_make();
	list_long();
	must(chmod(pipe_path(1), 0640));
	must(stat(pipe_path(1), &attr));
	ck_assert_uint_eq(attr.st_mode & 07777, 0640);
	must(unlink(pipe_path(1)));
	must_fail(stat(pipe_path(1), &attr), ENOENT);
	list_long();
	must(rename(pipe_path(2), pipe_path(1)));
	must_fail(stat(pipe_path(2), &attr), ENOENT);
	must(stat(pipe_path(1), &attr));
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_test(tcase, test_listed_pipes_can_be_opened_by_many);
	tcase_add_test(tcase, test_listed_pipe_with_a_blocked_writer_can_be_removed);
	tcase_add_test(tcase, test_listed_attributes_are_those_of_now);
}

int main(void)
{
	Suite *suite = suite_create("listed");

	add_tests(suite_case(suite, "listed", 60));
	add_tests(suite_case_served(suite, "served", 60));
	return suite_run(suite);
}
