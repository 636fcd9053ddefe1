/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds for owners, modes and times of every kind: an object belongs to its maker, has the
 * mode that the maker gave it, and can be changed or removed only by users who have the right to.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/objects.h"
#include "tests/unit/sample.h"

enum { ANNA = 1001, STAFF = 50 };

static struct channel *make_as(struct space *space, mode_t mode, struct caller *caller)
{
	struct channel *channel = NULL;

	must(sample_create(space, "a", S_IFREG | mode, caller, &channel));
	return channel;
}

static int chown_to(struct channel *channel, uid_t uid, gid_t gid, struct caller *caller)
{
	const struct stat attr = {.st_uid = uid, .st_gid = gid};

	return channel_change(channel, NULL, &attr, CHANGE_UID | CHANGE_GID, caller);
}

static bool is_now(const struct timespec *when)
{
	return labs(time(NULL) - when->tv_sec) <= 60;
}

START_TEST(test_contract_rights_created_by_root_is_roots)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0642, &root);
	struct stat attr = object_stat(channel);

	ck_assert_uint_eq(attr.st_mode, S_IFREG | 0642);
	ck_assert_uint_eq(attr.st_uid, 0);
	ck_assert_uint_eq(attr.st_gid, 0);
	ck_assert_uint_eq(attr.st_nlink, 1);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_rights_created_by_stranger_is_the_strangers)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0600, &stranger);
	struct stat attr = object_stat(channel);

	ck_assert_uint_eq(attr.st_uid, STRANGER);
	ck_assert_uint_eq(attr.st_gid, STRANGER);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_rights_created_has_present_times)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0600, &root);
	struct stat attr = object_stat(channel);

	ck_assert(is_now(&attr.st_atim));
	ck_assert(is_now(&attr.st_mtim));
	ck_assert(is_now(&attr.st_ctim));
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_rights_created_has_its_size)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0600, &root);

	if (channel->service == CHANNEL_STREAM) /* a stream has no size: see channel_stat() */
		ck_assert_int_eq(object_stat(channel).st_size, HOST_PAGE);
	else
		ck_assert_int_eq(object_stat(channel).st_size, sample_of(kinds[_i])->size);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_rights_open_shows_the_same)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0640, &stranger);
	struct stat before = object_stat(channel);
	struct file *file = object_open(channel, O_RDWR);
	struct stat after = object_stat(channel);

	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	ck_assert_uint_eq(after.st_uid, before.st_uid);
	ck_assert_int_eq(after.st_size, before.st_size);
	object_close(file);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_rights_mode_by_owner_changes)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0600, &stranger);

	must(object_chmod(channel, 0460, &stranger));
	ck_assert_uint_eq(object_stat(channel).st_mode, S_IFREG | 0460);
	object_unref(channel);
}
END_TEST

/* A user who may not open an object may still change its mode. */
START_TEST(test_contract_rights_mode_of_closed_object_by_owner_changes)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0, &stranger);

	must(object_chmod(channel, 0600, &stranger));
	ck_assert_uint_eq(object_stat(channel).st_mode, S_IFREG | 0600);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_rights_mode_by_root_changes)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0600, &stranger);

	must(object_chmod(channel, 0666, &root));
	ck_assert_uint_eq(object_stat(channel).st_mode, S_IFREG | 0666);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_rights_mode_by_stranger_eperm)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0666, &root);

	must_fail(object_chmod(channel, 0777, &stranger), EPERM);
	ck_assert_uint_eq(object_stat(channel).st_mode, S_IFREG | 0666);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_rights_owner_by_root_changes)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0600, &root);

	must(chown_to(channel, ANNA, STAFF, &root));
	ck_assert_uint_eq(object_stat(channel).st_uid, ANNA);
	ck_assert_uint_eq(object_stat(channel).st_gid, STAFF);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_rights_owner_by_owner_eperm)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0600, &stranger);

	must_fail(chown_to(channel, ANNA, STRANGER, &stranger), EPERM);
	ck_assert_uint_eq(object_stat(channel).st_uid, STRANGER);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_rights_group_by_owner_to_a_foreign_group_eperm)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0600, &stranger);
	const struct stat attr = {.st_gid = STAFF};

	must_fail(channel_change(channel, NULL, &attr, CHANGE_GID, &stranger), EPERM);
	ck_assert_uint_eq(object_stat(channel).st_gid, STRANGER);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_rights_new_owner_may_change_mode)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0600, &root);

	must(chown_to(channel, STRANGER, STRANGER, &root));
	must(object_chmod(channel, 0640, &stranger));
	ck_assert_uint_eq(object_stat(channel).st_mode, S_IFREG | 0640);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_rights_times_are_set_or_eperm)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0600, &root);
	const struct stat attr = {.st_atim = {1000, 5}, .st_mtim = {2000, 6}};
	struct stat after;

	if (!(sample_of(kinds[_i])->traits & SAMPLE_TIMES)) {
		must_fail(channel_change(channel, NULL, &attr, CHANGE_ATIME | CHANGE_MTIME, &root),
			  EPERM);
		object_unref(channel);
		return;
	}
	must(channel_change(channel, NULL, &attr, CHANGE_ATIME | CHANGE_MTIME, &root));
	after = object_stat(channel);
	ck_assert_int_eq(after.st_atim.tv_sec, 1000);
	ck_assert_int_eq(after.st_mtim.tv_sec, 2000);
	ck_assert(is_now(&after.st_ctim));
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_rights_one_time_leaves_the_other_or_eperm)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0600, &root);
	const struct stat attr = {.st_mtim = {2000, 6}};

	if (sample_of(kinds[_i])->traits & SAMPLE_TIMES) {
		must(channel_change(channel, NULL, &attr, CHANGE_MTIME, &root));
		ck_assert_int_eq(object_stat(channel).st_mtim.tv_sec, 2000);
	} else {
		must_fail(channel_change(channel, NULL, &attr, CHANGE_MTIME, &root), EPERM);
		ck_assert_int_ne(object_stat(channel).st_mtim.tv_sec, 2000);
	}
	ck_assert_int_ne(object_stat(channel).st_atim.tv_sec, 0);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_rights_times_by_stranger_eperm)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0666, &root);
	const struct stat attr = {.st_mtim = {2000, 6}};

	must_fail(channel_change(channel, NULL, &attr, CHANGE_MTIME, &stranger), EPERM);
	ck_assert_int_ne(object_stat(channel).st_mtim.tv_sec, 2000);
	object_unref(channel);
}
END_TEST

/* Returns the result of touch(1) by the stranger on an object of root's with this mode. */
static int touch_now(struct space *space, mode_t mode)
{
	struct channel *channel = make_as(space, mode, &root);
	const struct stat attr = {.st_atim.tv_nsec = UTIME_NOW, .st_mtim.tv_nsec = UTIME_NOW};
	int r = channel_change(channel, NULL, &attr, CHANGE_ATIME | CHANGE_MTIME | CHANGE_NOW,
			       &stranger);

	object_unref(channel);
	return r;
}

START_TEST(test_contract_rights_touch_by_who_may_write_succeeds)
{
	must(touch_now(fixture_open(kinds[_i]), 0602));
}
END_TEST

START_TEST(test_contract_rights_touch_by_who_may_not_write_eacces)
{
	must_fail(touch_now(fixture_open(kinds[_i]), 0604), EACCES);
}
END_TEST

START_TEST(test_contract_rights_remove_by_stranger_eperm)
{
	struct space *space = fixture_open(kinds[_i]);

	object_unref(make_as(space, 0666, &root));
	must_fail(sample_remove(space, "a", &stranger), EPERM);
	must(sample_lookup(space, "a", NULL));
}
END_TEST

START_TEST(test_contract_rights_remove_by_owner_succeeds)
{
	struct space *space = fixture_open(kinds[_i]);

	object_unref(make_as(space, 0, &stranger));
	must(sample_remove(space, "a", &stranger));
	must_fail(sample_lookup(space, "a", NULL), ENOENT);
}
END_TEST

START_TEST(test_contract_rights_rename_by_stranger_eperm)
{
	struct space *space = fixture_open(kinds[_i]);

	object_unref(make_as(space, 0666, &root));
	must_fail(sample_rename(space, "a", "b", 0, &stranger), EPERM);
	must(sample_lookup(space, "a", NULL));
}
END_TEST

/* The stranger must not rename its own object over an object that it may not remove. */
START_TEST(test_contract_rights_rename_over_anothers_eperm)
{
	struct space *space = fixture_open(kinds[_i]);

	object_unref(make_as(space, 0666, &stranger));
	object_unref(sample_make(space, "roots"));
	must_fail(sample_rename(space, "a", "roots", 0, &stranger), EPERM);
	ck_assert_int_eq(space_count(space), 2);
}
END_TEST

START_TEST(test_contract_rights_truncate_to_0_by_stranger_is_refused)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0600, &root);

	must_fail(object_truncate(channel, 0, &stranger),
		  sample_of(kinds[_i])->traits & SAMPLE_UNTRUNCATED ? EINVAL : EACCES);
	object_unref(channel);
}
END_TEST

/*
 * Throwing waiting data away counts as reading it. But the size of a region belongs to its writers.
 */
START_TEST(test_contract_rights_truncate_to_0_takes_the_right_to_read)
{
	struct channel *channel = make_as(fixture_open(kinds[_i]), 0600, &root);
	bool is_sized = sample_of(kinds[_i])->traits & SAMPLE_SIZED;

	must(object_chmod(channel, 0622, &root));
	ck_assert_int_eq(object_truncate(channel, 0, &stranger), is_sized ? 0 : -EACCES);
	object_unref(channel);
}
END_TEST

struct setting {
	struct channel *channel;
	struct settings settings;
};

static int set_as_stranger(void *data)
{
	const struct setting *setting = data;

	return channel_set(setting->channel, &setting->settings, &stranger);
}

START_TEST(test_contract_rights_set_by_stranger_is_refused)
{
	struct setting setting = {.channel = make_as(fixture_open(kinds[_i]), 0600, &root)};
	int r;

	ck_assert(sample_setting(kinds[_i], &setting.settings));
	r = loop_wait_for(&stranger, set_as_stranger, &setting);
	ck_assert_msg(r == -EPERM || r == -EACCES, "%s", error_name(r));
	object_unref(setting.channel);
}
END_TEST

int main(void)
{
	const struct kind_test tests[] = {
		{test_contract_rights_created_by_root_is_roots, 0},
		{test_contract_rights_created_by_stranger_is_the_strangers, 0},
		{test_contract_rights_created_has_present_times, 0},
		{test_contract_rights_created_has_its_size, 0},
		{test_contract_rights_open_shows_the_same, 0},
		{test_contract_rights_mode_by_owner_changes, 0},
		{test_contract_rights_mode_of_closed_object_by_owner_changes, 0},
		{test_contract_rights_mode_by_root_changes, 0},
		{test_contract_rights_mode_by_stranger_eperm, 0},
		{test_contract_rights_owner_by_root_changes, 0},
		{test_contract_rights_owner_by_owner_eperm, 0},
		{test_contract_rights_group_by_owner_to_a_foreign_group_eperm, 0},
		{test_contract_rights_new_owner_may_change_mode, 0},
		{test_contract_rights_times_are_set_or_eperm, 0},
		{test_contract_rights_one_time_leaves_the_other_or_eperm, 0},
		{test_contract_rights_times_by_stranger_eperm, 0},
		{test_contract_rights_touch_by_who_may_write_succeeds, 0},
		{test_contract_rights_touch_by_who_may_not_write_eacces, 0},
		{test_contract_rights_remove_by_stranger_eperm, 0},
		{test_contract_rights_remove_by_owner_succeeds, 0},
		{test_contract_rights_rename_by_stranger_eperm, NEED_RENAMES},
		{test_contract_rights_rename_over_anothers_eperm, NEED_RENAMES},
		{test_contract_rights_truncate_to_0_by_stranger_is_refused, 0},
		{test_contract_rights_truncate_to_0_takes_the_right_to_read, NEED_EMPTIED},
		{test_contract_rights_set_by_stranger_is_refused, NEED_SETTING},
		{NULL},
	};
	Suite *suite = suite_create("contract_rights");

	suite_add_kinds(suite, tests);
	return suite_run(suite);
}
