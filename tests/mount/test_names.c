/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directories: what they list and how it agrees with stat(2), lists that change while they are
 * read, and many processes that make, use and remove the same few names at the same time.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"
#include "tests/mount/random.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { N_NAMES = 3000, N_PROCESSES = 8, N_ROUNDS = 2000 };

enum { N_DIRS = 3, N_QUEUES = 200 };

static const char *const dir_names[N_DIRS] = {"pipes", "queues", "shm"};
/*
 * The features needed to list a directory, and those needed for its entries to be the objects
 * themselves.
 */
static const char *const listed_needs[N_DIRS] = {"", "mqueue_mount", ""};
static const char *const same_needs[N_DIRS] = {"", "", "passthrough"};

static const char *numbered(const char *dir, int number)
{
	char name[64];

	snprintf(name, sizeof(name), "%s/n%d", dir, number);
	return ipc_path(name);
}

static void name_make(const char *dir, int number)
{
	int fd = (int)must(open(numbered(dir, number), O_RDWR | O_CREAT, 0600));

	must(close(fd));
}

/* Makes many objects, but fewer queues: there cannot be thousands of those. Returns how many. */
static int names_make(const char *dir)
{
	int n = strcmp(dir, "queues") ? N_NAMES : N_QUEUES;

	if (n == N_QUEUES) {
		ck_assert_int_eq(system("echo 1 > /proc/sys/fs/mqueue/msg_default"), 0);
		ck_assert_int_eq(system("echo 128 > /proc/sys/fs/mqueue/msgsize_default"), 0);
	}
	for (int i = 0; i < n; i++)
		name_make(dir, i);
	return n;
}

/*
 * Reads n_entries further entries of the directory, or all for -1, and counts how often each number
 * comes up.
 */
static void names_count(DIR *dir, unsigned char *counts, int n_entries)
{
	struct dirent *entry;

	while (n_entries-- && (entry = readdir(dir))) {
		if (entry->d_name[0] == 'n')
			counts[atoi(entry->d_name + 1)]++;
	}
}

START_TEST(test_names_many_each_is_listed_once)
{
	static unsigned char counts[N_NAMES];
	int n = names_make(dir_names[_i]);
	DIR *dir = opendir(ipc_path(dir_names[_i]));

	ck_assert_ptr_nonnull(dir);
	for (int round = 1; round <= 2; round++) {
		names_count(dir, counts, -1);
		for (int i = 0; i < n; i++)
			ck_assert_int_eq(counts[i], round);
		rewinddir(dir);
	}
	closedir(dir);
}
END_TEST

START_TEST(test_names_removed_while_read_others_stay_listed)
{
	static unsigned char counts[N_NAMES];
	int n = names_make(dir_names[_i]);
	DIR *dir = opendir(ipc_path(dir_names[_i]));

	ck_assert_ptr_nonnull(dir);
	names_count(dir, counts, 50);
	for (int i = 0; i < n; i += 2)
		must(unlink(numbered(dir_names[_i], i)));
	names_count(dir, counts, -1);
	for (int i = 1; i < n; i += 2)
		ck_assert_int_eq(counts[i], 1);
	closedir(dir);
}
END_TEST

START_TEST(test_names_list_agrees_with_stat)
{
	DIR *dir = opendir(ipc_path(dir_names[_i]));
	struct dirent *entry;
	struct stat st;
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	for (int i = 0; i < 5; i++)
		name_make(dir_names[_i], i);
	while ((entry = readdir(dir))) {
		must(fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW));
		if (entry->d_name[0] == '.')
			continue;
		ck_assert_uint_eq(entry->d_ino, st.st_ino);
		ck_assert_uint_eq(entry->d_type, IFTODT(st.st_mode));
		n++;
	}
	ck_assert_int_eq(n, 5);
	closedir(dir);
}
END_TEST

START_TEST(test_names_inode_number_stays)
{
	const char *path = numbered(dir_names[_i], 0);
	int fd = (int)must(open(path, O_RDWR | O_CREAT, 0600));
	struct stat first, later;

	must(fstat(fd, &first));
	for (int i = 0; i < 3; i++) {
		must(stat(path, &later));
		ck_assert_uint_eq(later.st_ino, first.st_ino);
	}
	name_make(dir_names[_i], 1);
	must(stat(numbered(dir_names[_i], 1), &later));
	ck_assert_uint_ne(later.st_ino, first.st_ino);
}
END_TEST

/* EPERM: queues can't be renamed. ESTALE: a name went, twice in a row, between lookup and use. */
static bool is_expected(int error)
{
	return error == ENOENT || error == EEXIST || error == EAGAIN || error == EPERM ||
	       error == ESTALE;
}

/*
 * Does a random operation on a random name. Returns an errno if the operation failed with one that
 * is not expected, else 0.
 */
static int name_use(struct walk *walk, int dir)
{
	const char *path = numbered(dir_names[dir], (int)walk_random(walk, 3));
	const char *other = numbered(dir_names[dir], (int)walk_random(walk, 3));
	char buf[100] = "data";
	struct stat st;
	int fd, ret;

	switch (walk_random(walk, 4)) {
	case 0:
		ret = unlink(path);
		break;
	case 1:
		ret = rename(path, other);
		break;
	case 2:
		ret = stat(path, &st);
		break;
	default:
		fd = ret = open(path, O_RDWR | O_CREAT | O_NONBLOCK, 0600);
		if (fd < 0)
			break;
		if (write(fd, buf, 50) != 50 && errno != EAGAIN)
			return errno;
		if (read(fd, buf, 20) < 0 && errno != EAGAIN)
			return errno;
		close(fd);
	}
	return ret < 0 && !is_expected(errno) ? errno : 0;
}

static int names_run(void *arg)
{
	struct walk walk = {.state = (uint64_t)getpid() * 7919};
	int error = 0;

	(void)arg;
	for (int i = 0; i < N_ROUNDS && !error; i++)
		error = name_use(&walk, (int)walk_random(&walk, N_DIRS));
	return error;
}

/* After the test, the fixture checks that the daemon has kept no descriptor. */
START_TEST(test_names_used_by_many_at_once_nothing_breaks)
{
	pid_t pids[N_PROCESSES];

	for (int i = 0; i < N_PROCESSES; i++)
		pids[i] = child_start(names_run, NULL);
	for (int i = 0; i < N_PROCESSES; i++)
		ck_assert_int_eq(child_end(pids[i]), 0);
	mount_settle(&ipc);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("names");
	TCase *tcase = suite_case(suite, "names", 60);

	for (int i = 0; i < N_DIRS; i++) {
		case_add_needing(tcase, test_names_many_each_is_listed_once, i, listed_needs[i]);
		case_add_needing(tcase, test_names_removed_while_read_others_stay_listed, i,
				 listed_needs[i]);
		case_add_needing(tcase, test_names_list_agrees_with_stat, i, listed_needs[i]);
		case_add_needing(tcase, test_names_inode_number_stays, i, same_needs[i]);
	}
	tcase_add_test(tcase, test_names_used_by_many_at_once_nothing_breaks);
	return suite_run(suite);
}
