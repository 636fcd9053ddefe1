// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mount's own directories: who may change their owner, mode and times, and what these mean.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOMEBODY = 4321 };

/* The directories of kinds in which users make objects, and one object of each. */
static const char *const kinds[][2] = {
	{"pipes", "pipes/x"}, {"queues", "queues/x"}, {"shm", "shm/x"},
	{"sems", "sems/x"},   {"events", "events/x"}, {"sysv/queues", "sysv/queues/0x4d2"},
};

static mode_t mode_of(const char *name)
{
	struct stat attr;

	must(stat(ipc_path(name), &attr));
	return attr.st_mode & 07777;
}

static int make_run(void *name)
{
	return mknod(ipc_path(name), S_IFREG | 0666, 0) < 0 ? errno : 0;
}

static int remove_run(void *name)
{
	return unlink(ipc_path(name)) < 0 ? errno : 0;
}

static int stat_run(void *name)
{
	struct stat attr;

	return stat(ipc_path(name), &attr) < 0 ? errno : 0;
}

/* Reads a directory to its end. Returns 0 or an errno. */
static int list_run(void *name)
{
	DIR *dir = opendir(ipc_path(name));
	int error;

	if (!dir)
		return errno;
	errno = 0;
	while (readdir(dir))
		errno = 0;
	error = errno;
	closedir(dir);
	return error;
}

static int command_run(void *command)
{
	int fd = open(ipc_path("ctl"), O_WRONLY);

	return fd < 0 || write(fd, command, strlen(command)) < 0 ? errno : 0;
}

static int command_code(const char *verb, const char *name)
{
	char line[128];

	snprintf(line, sizeof(line), "%s %s", verb, name);
	return child_code_as(SOMEBODY, command_run, line);
}

START_TEST(test_directories_mode_says_who_makes_objects)
{
	const char *dir = kinds[_i][0];
	void *name = (void *)kinds[_i][1];

	must(chmod(ipc_path(dir), 0755));
	ck_assert_uint_eq(mode_of(dir), 0755);
	ck_assert_int_eq(child_code_as(SOMEBODY, make_run, name), EACCES);
	ck_assert_int_eq(command_code("create", name), EACCES);
	must(make_run(name));
	must(chmod(ipc_path(name), 0666));
	ck_assert_int_eq(child_code_as(SOMEBODY, stat_run, name), 0);
	ck_assert_int_eq(command_code("remove", name), EACCES);
	must(chown(ipc_path(name), SOMEBODY, SOMEBODY));
	ck_assert_int_eq(child_code_as(SOMEBODY, remove_run, name), EACCES);
	ck_assert_int_eq(command_code("remove", name), EACCES);
	must(remove_run(name));

	must(chown(ipc_path(dir), -1, SOMEBODY));
	must(chmod(ipc_path(dir), 0775));
	ck_assert_int_eq(child_code_as(SOMEBODY, make_run, name), 0);
	ck_assert_int_eq(command_code("remove", name), 0);
	ck_assert_int_eq(command_code("create", name), 0);
	ck_assert_int_eq(child_code_as(SOMEBODY, remove_run, name), 0);
}
END_TEST

START_TEST(test_directories_mode_says_who_sees_objects)
{
	char info[64];

	channel_make("events/x");
	snprintf(info, sizeof(info), "info/events/x");
	ck_assert_int_eq(child_code_as(SOMEBODY, stat_run, info), 0);
	must(chmod(ipc_path("events"), 0711));
	ck_assert_int_eq(child_code_as(SOMEBODY, list_run, "events"), EACCES);
	ck_assert_int_eq(child_code_as(SOMEBODY, list_run, "info/events"), EACCES);
	ck_assert_int_eq(child_code_as(SOMEBODY, stat_run, "events/x"), 0);
	must(chmod(ipc_path("events"), 0700));
	ck_assert_int_eq(child_code_as(SOMEBODY, stat_run, "events/x"), EACCES);
	ck_assert_int_eq(child_code_as(SOMEBODY, stat_run, "info/events/x"), EACCES);
	ck_assert_int_eq(command_code("empty", "events/x"), EACCES);
	ck_assert_int_eq(list_run("info/events"), 0);
	must(unlink(ipc_path("events/x")));
}
END_TEST

/* info/ does not show servers as it shows other objects, so they have a test of their own. */
START_TEST(test_directories_mode_says_who_sees_servers)
{
	must(mkdir(ipc_path("sockets/servers/x"), 0755));
	must(chmod(ipc_path("sockets/servers"), 0711));
	ck_assert_int_eq(child_code_as(SOMEBODY, list_run, "info/sockets/servers"), EACCES);
	ck_assert_int_eq(child_code_as(SOMEBODY, stat_run, "info/sockets/servers/x"), 0);
	must(chmod(ipc_path("sockets/servers"), 0700));
	ck_assert_int_eq(child_code_as(SOMEBODY, stat_run, "info/sockets/servers/x"), EACCES);
	ck_assert_int_eq(list_run("info/sockets/servers"), 0);
	must(rmdir(ipc_path("sockets/servers/x")));
}
END_TEST

START_TEST(test_directories_owner_and_times_stay)
{
	const struct timespec times[2] = {{1000000000, 5}, {1100000000, 7}};
	const char *path = ipc_path(kinds[_i][0]);
	struct stat attr;

	must(utimensat(AT_FDCWD, path, times, 0));
	must(chown(path, SOMEBODY, 12345));
	must(stat(path, &attr));
	ck_assert_int_eq(attr.st_atim.tv_sec, 1000000000);
	ck_assert_int_eq(attr.st_mtim.tv_sec, 1100000000);
	ck_assert_int_eq(attr.st_mtim.tv_nsec, 7);
	ck_assert_uint_eq(attr.st_uid, SOMEBODY);
	ck_assert_uint_eq(attr.st_gid, 12345);
	must(utimensat(AT_FDCWD, path, NULL, 0));
	must(stat(path, &attr));
	ck_assert_int_gt(attr.st_mtim.tv_sec, 1100000000);
}
END_TEST

static int own_run(void *name)
{
	const char *path = ipc_path(name);

	return chmod(path, 0700) < 0 || utimensat(AT_FDCWD, path, NULL, 0) < 0 ? errno : 0;
}

START_TEST(test_directories_are_their_owners_to_change)
{
	ck_assert_int_eq(child_code_as(SOMEBODY, own_run, "events"), EPERM);
	ck_assert_uint_eq(mode_of("events"), 0777);
	must(chown(ipc_path("events"), SOMEBODY, -1));
	child_must_as(SOMEBODY, own_run, "events");
	ck_assert_uint_eq(mode_of("events"), 0700);
}
END_TEST

/* Set-ID bits would mean nothing on these directories, so they are not kept. */
START_TEST(test_directories_mode_is_what_it_means)
{
	must(chmod(ipc_path("events"), 07775));
	ck_assert_uint_eq(mode_of("events"), 01775);
}
END_TEST

START_TEST(test_directories_that_hold_no_objects_take_times_alone)
{
	static const char *const names[] = {"", "sysv", "sockets", "info", "info/pipes"};
	const struct timespec times[2] = {{1000000000, 0}, {1100000000, 0}};
	struct stat attr;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *path = ipc_path(names[i]);

		must(utimensat(AT_FDCWD, path, times, 0));
		must(stat(path, &attr));
		ck_assert_int_eq(attr.st_mtim.tv_sec, 1100000000);
		must(chmod(path, 0755));
		must(chown(path, 0, 0));
		must_fail(chmod(path, 0777), EPERM);
		must_fail(chown(path, SOMEBODY, -1), EPERM);
	}
}
END_TEST

/* Directories, links and devices are not objects and can't be made; FIFOs can, in pipes/ alone. */
START_TEST(test_directories_hold_objects_alone)
{
	const char *name = kinds[_i][1];
	char path[64], other[64];

	snprintf(path, sizeof(path), "%s", ipc_path(name));
	snprintf(other, sizeof(other), "%s", ipc_path(kinds[_i][0]));
	strcat(other, strstr(name, "0x") ? "/0x4d3" : "/XXXXXX");
	channel_make(name);
	must_fail(mkdir(other, 0777), EPERM);
	must_fail(symlink("x", other), EPERM);
	must_fail(link(path, other), EPERM);
	must_fail(mknod(other, S_IFCHR | 0666, 0), EPERM);
	if (strcmp(kinds[_i][0], "pipes") != 0)
		must_fail(mkfifo(other, 0666), EPERM);
	if (strstr(other, "XXXXXX"))
		ck_assert(!mkdtemp(other) && errno == EPERM);
	must(unlink(path));
}
END_TEST

/* Whether the mtime has changed since the last call, which set it back to a time long past. */
static bool has_moved(const char *dir)
{
	const struct timespec past[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct stat attr;
	bool has;

	must(stat(ipc_path(dir), &attr));
	has = attr.st_mtim.tv_sec != 1000;
	must(utimensat(AT_FDCWD, ipc_path(dir), past, 0));
	return has;
}

/* make(1) and find(1) rely on a directory's mtime. */
START_TEST(test_directories_times_say_when_something_came_or_went)
{
	const char *dir = kinds[_i][0];
	const char *path = ipc_path(kinds[_i][1]);

	has_moved(dir);
	ck_assert(!has_moved(dir));
	must(mknod(path, S_IFREG | 0666, 0));
	ck_assert(has_moved(dir));
	must(chmod(path, 0600));
	ck_assert(!has_moved(dir));
	must(unlink(path));
	ck_assert(has_moved(dir));
}
END_TEST

int main(void)
{
	const int n_kinds = sizeof(kinds) / sizeof(kinds[0]);
	Suite *suite = suite_create("directories");
	TCase *tcase = suite_case(suite, "directories", 30);

	tcase_add_loop_test(tcase, test_directories_mode_says_who_makes_objects, 0, n_kinds);
	tcase_add_test(tcase, test_directories_mode_says_who_sees_objects);
	tcase_add_test(tcase, test_directories_mode_says_who_sees_servers);
	tcase_add_loop_test(tcase, test_directories_owner_and_times_stay, 0, n_kinds);
	tcase_add_loop_test(tcase, test_directories_times_say_when_something_came_or_went, 0,
			    n_kinds);
	tcase_add_test(tcase, test_directories_are_their_owners_to_change);
	tcase_add_test(tcase, test_directories_mode_is_what_it_means);
	tcase_add_loop_test(tcase, test_directories_hold_objects_alone, 0, n_kinds);
	tcase_add_test(tcase, test_directories_that_hold_no_objects_take_times_alone);
	return suite_run(suite);
}
