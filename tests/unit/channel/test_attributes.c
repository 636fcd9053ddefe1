/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owner, mode and times of an object that the daemon keeps: who may change what, by the kernel's
 * rules for files. The object is Anna's. Its times begin at 0, so that "now" differs from "never".
 */
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

#include "lib/channel/attributes.h"
#include "lib/channel/channel.h"
#include "tests/unit/fixture.h"

enum { ANNA = 1001, BERT = 1002, STAFF = 50, GUESTS = 51 };

static struct caller anna = {.uid = ANNA, .gid = ANNA};
static struct caller bert = {.uid = BERT, .gid = BERT};

static struct attributes object(mode_t mode)
{
	return (struct attributes){.ino = 7, .mode = S_IFREG | mode, .uid = ANNA, .gid = ANNA};
}

static int change_owner(struct attributes *object, uid_t uid, struct caller *caller)
{
	const struct stat attr = {.st_uid = uid};

	return attributes_change(object, &attr, CHANGE_UID, caller);
}

static int change_group(struct attributes *object, gid_t gid, struct caller *caller)
{
	const struct stat attr = {.st_gid = gid};

	return attributes_change(object, &attr, CHANGE_GID, caller);
}

static int change_mode(struct attributes *object, mode_t mode, struct caller *caller)
{
	const struct stat attr = {.st_mode = mode};

	return attributes_change(object, &attr, CHANGE_MODE, caller);
}

/* Does what utimensat(2) does without times. */
static int change_times_to_now(struct attributes *object, struct caller *caller)
{
	const struct stat attr = {.st_atim.tv_nsec = UTIME_NOW, .st_mtim.tv_nsec = UTIME_NOW};

	return attributes_change(object, &attr, CHANGE_ATIME | CHANGE_MTIME | CHANGE_NOW, caller);
}

static int change_mtime(struct attributes *object, time_t seconds, struct caller *caller)
{
	const struct stat attr = {.st_mtim.tv_sec = seconds};

	return attributes_change(object, &attr, CHANGE_MTIME, caller);
}

static bool is_now(const struct timespec *when)
{
	return labs(time(NULL) - when->tv_sec) <= 60;
}

START_TEST(test_attributes_new_object_is_the_callers)
{
	struct caller caller = {.uid = ANNA, .gid = STAFF};
	struct attributes object;
	struct stat attr = {0};

	attributes_init(&object, 99, S_IFIFO | 0642, &caller);
	attributes_stat(&object, &attr);
	ck_assert_uint_eq(attr.st_ino, 99);
	ck_assert_uint_eq(attr.st_mode, S_IFIFO | 0642);
	ck_assert_uint_eq(attr.st_uid, ANNA);
	ck_assert_uint_eq(attr.st_gid, STAFF);
}
END_TEST

START_TEST(test_attributes_new_object_has_present_times)
{
	struct attributes object;
	struct stat attr = {0};

	attributes_init(&object, 99, S_IFREG | 0600, &anna);
	attributes_stat(&object, &attr);
	ck_assert(is_now(&attr.st_atim));
	ck_assert(is_now(&attr.st_mtim));
	ck_assert(is_now(&attr.st_ctim));
}
END_TEST

START_TEST(test_attributes_mode_by_owner_changes_keeping_type)
{
	struct attributes a = object(0600);

	must(change_mode(&a, S_IFDIR | 04755, &anna));
	ck_assert_uint_eq(a.mode, S_IFREG | 04755);
}
END_TEST

START_TEST(test_attributes_mode_by_root_changes)
{
	struct attributes a = object(0600);

	must(change_mode(&a, 0644, &root));
	ck_assert_uint_eq(a.mode, S_IFREG | 0644);
}
END_TEST

START_TEST(test_attributes_mode_by_stranger_eperm)
{
	struct attributes a = object(0666);
	const struct attributes before = a;

	must_fail(change_mode(&a, 0777, &bert), EPERM);
	ck_assert_mem_eq(&a, &before, sizeof(a));
}
END_TEST

START_TEST(test_attributes_owner_by_root_changes)
{
	struct attributes a = object(0600);

	must(change_owner(&a, BERT, &root));
	ck_assert_uint_eq(a.uid, BERT);
}
END_TEST

START_TEST(test_attributes_owner_given_away_by_owner_eperm)
{
	struct attributes a = object(0600);

	must_fail(change_owner(&a, BERT, &anna), EPERM);
	ck_assert_uint_eq(a.uid, ANNA);
}
END_TEST

START_TEST(test_attributes_owner_to_itself_by_owner_succeeds)
{
	struct attributes a = object(0600);

	must(change_owner(&a, ANNA, &anna));
	ck_assert(is_now(&a.ctime));
}
END_TEST

START_TEST(test_attributes_owner_taken_by_stranger_eperm)
{
	struct attributes a = object(0666);

	must_fail(change_owner(&a, BERT, &bert), EPERM);
	ck_assert_uint_eq(a.uid, ANNA);
}
END_TEST

START_TEST(test_attributes_group_by_owner_to_a_group_of_its_own_changes)
{
	struct caller caller = {.uid = ANNA, .gid = GUESTS, .is_loaded = true, .n_groups = 1};
	struct attributes a = object(0600);

	caller.groups = malloc(sizeof(gid_t));
	caller.groups[0] = STAFF;
	must(change_group(&a, STAFF, &caller));
	ck_assert_uint_eq(a.gid, STAFF);
	must(change_group(&a, GUESTS, &caller));
	ck_assert_uint_eq(a.gid, GUESTS);
	caller_fini(&caller);
}
END_TEST

START_TEST(test_attributes_group_by_owner_to_a_foreign_group_eperm)
{
	struct attributes a = object(0600);

	must_fail(change_group(&a, STAFF, &anna), EPERM);
	ck_assert_uint_eq(a.gid, ANNA);
}
END_TEST

START_TEST(test_attributes_group_to_itself_by_owner_outside_it_succeeds)
{
	struct caller caller = {.uid = ANNA, .gid = GUESTS};
	struct attributes a = object(0600);

	must(change_group(&a, ANNA, &caller));
	ck_assert(is_now(&a.ctime));
}
END_TEST

START_TEST(test_attributes_group_by_stranger_to_its_own_eperm)
{
	struct attributes a = object(0666);

	must_fail(change_group(&a, BERT, &bert), EPERM);
	ck_assert_uint_eq(a.gid, ANNA);
}
END_TEST

START_TEST(test_attributes_group_by_root_changes)
{
	struct attributes a = object(0600);

	must(change_group(&a, STAFF, &root));
	ck_assert_uint_eq(a.gid, STAFF);
}
END_TEST

START_TEST(test_attributes_time_by_owner_is_set)
{
	struct attributes a = object(0);

	must(change_mtime(&a, 1234, &anna));
	ck_assert_int_eq(a.mtime.tv_sec, 1234);
	ck_assert_int_eq(a.atime.tv_sec, 0);
}
END_TEST

START_TEST(test_attributes_time_by_stranger_eperm)
{
	struct attributes a = object(0666);

	must_fail(change_mtime(&a, 1234, &bert), EPERM);
	ck_assert_int_eq(a.mtime.tv_sec, 0);
}
END_TEST

START_TEST(test_attributes_times_to_now_by_owner_without_write_right_are_set)
{
	struct attributes a = object(0400);

	must(change_times_to_now(&a, &anna));
	ck_assert(is_now(&a.atime));
	ck_assert(is_now(&a.mtime));
}
END_TEST

START_TEST(test_attributes_times_to_now_by_stranger_who_may_write_are_set)
{
	struct attributes a = object(0602);

	must(change_times_to_now(&a, &bert));
	ck_assert(is_now(&a.atime));
	ck_assert(is_now(&a.mtime));
}
END_TEST

START_TEST(test_attributes_times_to_now_by_stranger_who_may_not_write_eacces)
{
	struct attributes a = object(0604);

	must_fail(change_times_to_now(&a, &bert), EACCES);
	ck_assert_int_eq(a.mtime.tv_sec, 0);
}
END_TEST

START_TEST(test_attributes_any_change_touches_ctime)
{
	struct attributes a = object(0600);

	must(change_mtime(&a, 1234, &anna));
	ck_assert(is_now(&a.ctime));
}
END_TEST

START_TEST(test_attributes_refused_part_refuses_all)
{
	const struct stat attr = {.st_mode = 0777, .st_uid = BERT};
	struct attributes a = object(0600);
	const struct attributes before = a;

	must_fail(attributes_change(&a, &attr, CHANGE_MODE | CHANGE_UID, &anna), EPERM);
	ck_assert_mem_eq(&a, &before, sizeof(a));
}
END_TEST

START_TEST(test_attributes_all_by_root_change_at_once)
{
	const struct stat attr = {
		.st_mode = 0640, .st_uid = BERT, .st_gid = STAFF, .st_atim.tv_sec = 11};
	struct attributes a = object(0600);

	must(attributes_change(&a, &attr, CHANGE_MODE | CHANGE_UID | CHANGE_GID | CHANGE_ATIME,
			       &root));
	ck_assert_uint_eq(a.mode, S_IFREG | 0640);
	ck_assert_uint_eq(a.uid, BERT);
	ck_assert_uint_eq(a.gid, STAFF);
	ck_assert_int_eq(a.atime.tv_sec, 11);
	ck_assert_int_eq(a.mtime.tv_sec, 0);
}
END_TEST

static void add_owner_tests(Suite *suite)
{
	suite_add(suite, "owner",
		  (const TTest *const[]){
			  test_attributes_owner_by_root_changes,
			  test_attributes_owner_given_away_by_owner_eperm,
			  test_attributes_owner_to_itself_by_owner_succeeds,
			  test_attributes_owner_taken_by_stranger_eperm,
			  test_attributes_group_by_owner_to_a_group_of_its_own_changes,
			  test_attributes_group_by_owner_to_a_foreign_group_eperm,
			  test_attributes_group_to_itself_by_owner_outside_it_succeeds,
			  test_attributes_group_by_stranger_to_its_own_eperm,
			  test_attributes_group_by_root_changes,
			  NULL,
		  });
}

int main(void)
{
	Suite *suite = suite_create("attributes");

	suite_add(suite, "mode",
		  (const TTest *const[]){
			  test_attributes_new_object_is_the_callers,
			  test_attributes_new_object_has_present_times,
			  test_attributes_mode_by_owner_changes_keeping_type,
			  test_attributes_mode_by_root_changes,
			  test_attributes_mode_by_stranger_eperm,
			  test_attributes_refused_part_refuses_all,
			  test_attributes_all_by_root_change_at_once,
			  NULL,
		  });
	add_owner_tests(suite);
	suite_add(suite, "times",
		  (const TTest *const[]){
			  test_attributes_time_by_owner_is_set,
			  test_attributes_time_by_stranger_eperm,
			  test_attributes_times_to_now_by_owner_without_write_right_are_set,
			  test_attributes_times_to_now_by_stranger_who_may_write_are_set,
			  test_attributes_times_to_now_by_stranger_who_may_not_write_eacces,
			  test_attributes_any_change_touches_ctime,
			  NULL,
		  });
	return suite_run(suite);
}
