/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second, ordinary user in a mount with allow_other: the kernel's own permission checks on every
 * kind, what only an owner may do, and objects made with the caller's identity and umask.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/native.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OTHER = 65534, GROUP = 4444 };

enum { SHM = N_CHANNELS, FIFO, N_OBJECTS, N_FILES = FIFO };

/* One object of each kind; the last is a FIFO node. */
static const char *const object_names[N_OBJECTS] = {"pipes/p", "queues/q", "sysv/queues/0x000004d2",
						    "shm/s", "pipes/f"};
static const char *const renamed[N_OBJECTS] = {"pipes/r", "queues/r", "sysv/queues/0x000004d3",
					       "shm/r", "pipes/r"};

static void object_make(int object, mode_t mode)
{
	const char *path = ipc_path(object_names[object]);

	if (object == FIFO)
		must(mkfifo(path, 0600));
	else
		channel_make(object_names[object]);
	must(chmod(path, mode));
}

struct access {
	const char *name;
	int flags;
};

static int open_run(void *arg)
{
	const struct access *access = arg;

	return open(ipc_path(access->name), access->flags | O_NONBLOCK) < 0 ? errno : 0;
}

static int open_code(const char *name, int flags)
{
	struct access access = {.name = name, .flags = flags};

	return child_code_as(OTHER, open_run, &access);
}

START_TEST(test_rights_mode_0600_other_user_eacces)
{
	object_make(_i, 0600);
	ck_assert_int_eq(open_code(object_names[_i], O_RDONLY), EACCES);
	ck_assert_int_eq(open_code(object_names[_i], O_WRONLY), EACCES);
	ck_assert_int_eq(open_code(object_names[_i], O_RDWR), EACCES);
}
END_TEST

START_TEST(test_rights_mode_0644_other_user_only_reads)
{
	object_make(_i, 0644);
	ck_assert_int_eq(open_code(object_names[_i], O_RDONLY), 0);
	ck_assert_int_eq(open_code(object_names[_i], O_WRONLY), EACCES);
	ck_assert_int_eq(open_code(object_names[_i], O_RDWR), EACCES);
}
END_TEST

START_TEST(test_rights_mode_0622_other_user_only_writes)
{
	object_make(_i, 0622);
	ck_assert_int_eq(open_code(object_names[_i], O_RDONLY), EACCES);
	ck_assert_int_eq(open_code(object_names[_i], O_WRONLY), 0);
}
END_TEST

static int open_in_group_run(void *arg)
{
	const gid_t group = GROUP;

	if (setgroups(1, &group) < 0 || setresgid(OTHER, OTHER, OTHER) < 0 ||
	    setresuid(OTHER, OTHER, OTHER) < 0)
		return errno;
	return open_run(arg);
}

START_TEST(test_rights_group_of_caller_opens)
{
	struct access access = {.name = object_names[_i], .flags = O_RDWR};

	object_make(_i, 0660);
	must(chown(ipc_path(object_names[_i]), 0, GROUP));
	child_must(open_in_group_run, &access);
	ck_assert_int_eq(open_code(object_names[_i], O_RDWR), EACCES);
}
END_TEST

/* Returns 0 only for a mapping that stays read-only. */
static int read_only_map_run(void *name)
{
	int fd = open(ipc_path(name), O_RDONLY);
	void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (fd < 0 || map == MAP_FAILED)
		return errno;
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED)
		return EXFULL;
	if (mprotect(map, 4096, PROT_READ | PROT_WRITE) == 0)
		return EXDEV;
	return errno == EACCES ? 0 : errno;
}

START_TEST(test_rights_read_only_map_stays_read_only)
{
	object_make(SHM, 0644);
	must(truncate(ipc_path(object_names[SHM]), 4096));
	child_must_as(OTHER, read_only_map_run, (void *)object_names[SHM]);
}
END_TEST

static int unlink_run(void *arg)
{
	return unlink(ipc_path(arg)) < 0 ? errno : 0;
}

static int rename_run(void *arg)
{
	int object = *(int *)arg;
	int ret = rename(ipc_path(object_names[object]), ipc_path(renamed[object]));

	return ret < 0 ? errno : 0;
}

static int chmod_run(void *arg)
{
	return chmod(ipc_path(arg), 0666) < 0 ? errno : 0;
}

static int chown_run(void *arg)
{
	return chown(ipc_path(arg), OTHER, (gid_t)-1) < 0 ? errno : 0;
}

static int truncate_run(void *arg)
{
	return truncate(ipc_path(arg), 0) < 0 ? errno : 0;
}

START_TEST(test_rights_stranger_unlinks_eperm)
{
	object_make(_i, 0666);
	ck_assert_int_eq(child_code_as(OTHER, unlink_run, (void *)object_names[_i]), EPERM);
	must(access(ipc_path(object_names[_i]), F_OK));
}
END_TEST

START_TEST(test_rights_stranger_renames_eperm)
{
	object_make(_i, 0666);
	ck_assert_int_eq(child_code_as(OTHER, rename_run, &_i), EPERM);
	must(access(ipc_path(object_names[_i]), F_OK));
}
END_TEST

START_TEST(test_rights_stranger_changes_mode_or_owner_eperm)
{
	object_make(_i, 0600);
	ck_assert_int_eq(child_code_as(OTHER, chmod_run, (void *)object_names[_i]), EPERM);
	ck_assert_int_eq(child_code_as(OTHER, chown_run, (void *)object_names[_i]), EPERM);
}
END_TEST

START_TEST(test_rights_stranger_truncates_eacces)
{
	object_make(_i, 0644);
	ck_assert_int_eq(child_code_as(OTHER, truncate_run, (void *)object_names[_i]), EACCES);
}
END_TEST

/* Writes "empty NAME" to ctl. */
static int empty_run(void *arg)
{
	char line[64];
	int fd = open(ipc_path("ctl"), O_WRONLY);

	snprintf(line, sizeof(line), "empty %s", (const char *)arg);
	return fd >= 0 && write(fd, line, strlen(line)) > 0 ? 0 : errno;
}

static int make_run(void *arg)
{
	const char *path = ipc_path(object_names[*(int *)arg]);

	umask(027);
	if (*(int *)arg == FIFO)
		return mkfifo(path, 0666) < 0 ? errno : 0;
	return open(path, O_RDWR | O_CREAT | O_EXCL, 0666) < 0 ? errno : 0;
}

START_TEST(test_rights_new_object_has_callers_owner_and_umask)
{
	struct stat st;

	child_must_as(OTHER, make_run, &_i);
	must(stat(ipc_path(object_names[_i]), &st));
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert_uint_eq(st.st_uid, OTHER);
	ck_assert_uint_eq(st.st_gid, OTHER);
}
END_TEST

START_TEST(test_rights_new_object_owner_is_seen_natively)
{
	int object = _i ? SHM : QUEUE;
	struct stat st;

	child_must_as(OTHER, make_run, &object);
	if (object == SHM)
		must(stat("/dev/shm/s", &st));
	else
		must(fstat(native_open("/q", O_RDONLY), &st));
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert_uint_eq(st.st_uid, OTHER);
	ck_assert_uint_eq(st.st_gid, OTHER);
}
END_TEST

START_TEST(test_rights_owner_and_root_unlink)
{
	child_must_as(OTHER, make_run, &_i);
	child_must_as(OTHER, unlink_run, (void *)object_names[_i]);
	child_must_as(OTHER, make_run, &_i);
	must(unlink(ipc_path(object_names[_i])));
}
END_TEST

static int ftruncate_run(void *arg)
{
	int fd = open(ipc_path(arg), O_WRONLY | O_TRUNC);

	if (fd < 0)
		return EXDEV; /* an errno that the test does not expect */
	return ftruncate(fd, 0) < 0 ? errno : 0;
}

START_TEST(test_rights_write_only_user_cannot_empty)
{
	const char *name = channel_names[_i];

	object_make(_i, 0622);
	channel_put(name, "kept", 4);
	ck_assert_int_eq(child_code_as(OTHER, truncate_run, (void *)name), EACCES);
	ck_assert_int_eq(child_code_as(OTHER, ftruncate_run, (void *)name), EACCES);
	ck_assert_uint_eq(channel_drain(name), 4);
}
END_TEST

/* A FIFO can't be truncated, so its bytes are thrown away through ctl. */
START_TEST(test_rights_write_only_user_cannot_empty_by_ctl)
{
	const char *name = channel_names[_i];

	object_make(_i, 0622);
	channel_put(name, "kept", 4);
	ck_assert_int_eq(child_code_as(OTHER, empty_run, (void *)name), EACCES);
	ck_assert_uint_eq(channel_drain(name), 4);
	channel_put(name, "gone", 4);
	must(chmod(ipc_path(name), 0666));
	child_must_as(OTHER, empty_run, (void *)name);
	ck_assert_uint_eq(channel_drain(name), 0);
}
END_TEST

static void add_access_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, test_rights_mode_0600_other_user_eacces, 0, N_OBJECTS);
	tcase_add_loop_test(tcase, test_rights_mode_0644_other_user_only_reads, 0, N_FILES);
	tcase_add_loop_test(tcase, test_rights_mode_0622_other_user_only_writes, 0, N_FILES);
	tcase_add_loop_test(tcase, test_rights_group_of_caller_opens, 0, N_OBJECTS);
	tcase_add_test(tcase, test_rights_read_only_map_stays_read_only);
	tcase_add_loop_test(tcase, test_rights_stranger_unlinks_eperm, 0, N_OBJECTS);
	tcase_add_loop_test(tcase, test_rights_stranger_renames_eperm, 0, N_OBJECTS);
	tcase_add_loop_test(tcase, test_rights_stranger_changes_mode_or_owner_eperm, 0, N_OBJECTS);
	tcase_add_loop_test(tcase, test_rights_stranger_truncates_eacces, QUEUE, N_FILES);
	tcase_add_loop_test(tcase, test_rights_new_object_has_callers_owner_and_umask, 0,
			    N_OBJECTS);
	tcase_add_loop_test(tcase, test_rights_new_object_owner_is_seen_natively, 0, 2);
	tcase_add_loop_test(tcase, test_rights_owner_and_root_unlink, 0, N_OBJECTS);
	tcase_add_loop_test(tcase, test_rights_write_only_user_cannot_empty, QUEUE, N_CHANNELS);
	tcase_add_loop_test(tcase, test_rights_write_only_user_cannot_empty_by_ctl, 0, N_CHANNELS);
}

/*
 * Objects that the daemon itself opens for their maker. A FIFO is not among them, because the
 * kernel opens it once more, and checks the mode.
 */
static const char *const made[] = {"queues/m", "sems/m", "events/m", "shm/m", "sysv/queues/0x4d4"};
enum { N_MADE = sizeof(made) / sizeof(made[0]) };

static int make_private_run(void *name)
{
	return open(ipc_path(name), O_CREAT | O_RDWR | O_NONBLOCK, 0) < 0 ? errno : 0;
}

START_TEST(test_rights_maker_opens_what_nobody_may)
{
	child_must_as(OTHER, make_private_run, (void *)made[_i]);
	ck_assert_int_eq(open_code(made[_i], O_RDWR), EACCES);
	must(unlink(ipc_path(made[_i])));
}
END_TEST

static const char *const owned[] = {"pipes/o", "events/o", "shm/o"};
enum { N_OWNED = sizeof(owned) / sizeof(owned[0]) };

/* A change of owner clears the set-ID bits, as on any file, even if root makes it. */
START_TEST(test_rights_new_owner_takes_set_id_bits_away)
{
	const char *path = ipc_path(owned[_i]);
	struct stat attr;

	channel_make(owned[_i]);
	must(chmod(path, 06755));
	must(chown(path, OTHER, OTHER));
	must(stat(path, &attr));
	ck_assert_uint_eq(attr.st_mode & 07777, 0755);
	must(unlink(path));
}
END_TEST

static void add_served_tests(TCase *tcase)
{
	enum { END = PIPE + 1 };

	tcase_add_loop_test(tcase, test_rights_mode_0600_other_user_eacces, PIPE, END);
	tcase_add_loop_test(tcase, test_rights_mode_0644_other_user_only_reads, PIPE, END);
	tcase_add_loop_test(tcase, test_rights_mode_0622_other_user_only_writes, PIPE, END);
	tcase_add_loop_test(tcase, test_rights_group_of_caller_opens, PIPE, END);
	tcase_add_loop_test(tcase, test_rights_stranger_unlinks_eperm, PIPE, END);
	tcase_add_loop_test(tcase, test_rights_stranger_renames_eperm, PIPE, END);
	tcase_add_loop_test(tcase, test_rights_stranger_changes_mode_or_owner_eperm, PIPE, END);
	tcase_add_loop_test(tcase, test_rights_stranger_truncates_eacces, PIPE, END);
	tcase_add_loop_test(tcase, test_rights_new_object_has_callers_owner_and_umask, PIPE, END);
	tcase_add_loop_test(tcase, test_rights_owner_and_root_unlink, PIPE, END);
	tcase_add_loop_test(tcase, test_rights_write_only_user_cannot_empty, PIPE, END);
	tcase_add_loop_test(tcase, test_rights_write_only_user_cannot_empty_by_ctl, PIPE, END);
}

int main(void)
{
	Suite *suite = suite_create("rights");
	TCase *tcase = suite_case(suite, "access", 20);

	add_access_tests(tcase);
	tcase_add_loop_test(tcase, test_rights_maker_opens_what_nobody_may, 0, N_MADE);
	tcase_add_loop_test(tcase, test_rights_new_owner_takes_set_id_bits_away, 0, N_OWNED);
	add_served_tests(suite_case_served(suite, "served", 20));
	return suite_run(suite);
}
