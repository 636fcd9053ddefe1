/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that the daemon keeps, with pipes as the objects: renaming by the rules of rename(2) in a
 * sticky directory, and objects that outlive their names.
 */
#include <fcntl.h>
#include <stdio.h>

#include "lib/channel/journal.h"
#include "lib/channel/kept_names.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

static struct space *new_space(void)
{
	return fixture_open(&pipe_kind);
}

static ino_t make_as(struct space *space, const char *name, struct caller *caller)
{
	struct channel *channel = NULL;
	ino_t ino;

	must(object_create(space, name, S_IFREG | 0666, caller, &channel));
	ino = object_stat(channel).st_ino;
	object_unref(channel);
	return ino;
}

static ino_t ino_of(struct space *space, const char *name)
{
	struct channel *channel = object_find(space, name);
	ino_t ino = object_stat(channel).st_ino;

	object_unref(channel);
	return ino;
}

START_TEST(test_kept_names_new_object_has_a_name_and_its_makers_charge)
{
	struct space *space = new_space();
	struct channel *channel = object_make(space, "a");

	ck_assert_str_eq(kept_from(channel)->name, "a");
	ck_assert_uint_eq(channel->record->charged, 0);
	ck_assert_uint_eq(channel->n_refs, 2); /* the space's reference, and this test's */
	object_unref(channel);
}
END_TEST

START_TEST(test_kept_names_refused_object_leaves_nothing)
{
	struct space *space = new_space();
	struct channel *channel = NULL;
	struct kept kept = {0};

	object_unref(object_make(space, "a"));
	must_fail(kept_init(&kept, space, CHANNEL_STREAM, "a", S_IFREG, &stranger), EEXIST);
	must_fail(object_create(space, "a", S_IFREG, &stranger, &channel), EEXIST);
	ck_assert_uint_eq(user_charged(&host.users, STRANGER, USER_CHANNELS), 0);
}
END_TEST

START_TEST(test_kept_names_numbers_are_never_used_again)
{
	struct space *space = new_space();
	ino_t before = make_as(space, "a", &root);

	must(space_remove(space, "a", &root));
	ck_assert_uint_gt(make_as(space, "a", &root), before);
}
END_TEST

START_TEST(test_kept_names_removed_object_has_no_link)
{
	struct space *space = new_space();
	struct channel *channel = object_make(space, "a");

	must(space_remove(space, "a", &root));
	ck_assert_uint_eq(object_stat(channel).st_nlink, 0);
	ck_assert_ptr_null(kept_from(channel)->name);
	object_unref(channel);
}
END_TEST

START_TEST(test_kept_names_many_are_all_found)
{
	struct space *space = new_space();
	char name[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "pipe%d", i);
		object_unref(object_make(space, name));
	}
	ck_assert_int_eq(space_count(space), 1000);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "pipe%d", i);
		must(object_lookup(space, name, NULL));
	}
}
END_TEST

START_TEST(test_kept_names_closed_space_gives_up_its_objects)
{
	struct space *space;
	struct channel *channel = NULL;
	struct file *file;

	must(pipe_kind.open(&space, &host));
	object_unref(object_make(space, "a"));
	must(object_create(space, "b", S_IFREG | 0600, &stranger, &channel));
	file = object_open(channel, O_RDWR);
	file_put(file, "kept to the end");
	object_close(file);
	object_unref(channel);
	space_unref(space);
	ck_assert_ptr_null(host.users.users);
}
END_TEST

START_TEST(test_kept_names_rename_keeps_the_object_in_use)
{
	struct space *space = new_space();
	struct file *file = object_make_open(space, "a", O_RDWR);
	struct channel *found;

	file_put(file, "hello");
	must(space_rename(space, "a", "b", 0, &root));
	found = object_find(space, "b");
	ck_assert_ptr_eq(found, file->channel);
	file_expect(file, 100, "hello");
	object_unref(found);
	object_close(file);
}
END_TEST

START_TEST(test_kept_names_rename_to_itself_changes_nothing)
{
	struct space *space = new_space();
	ino_t ino = make_as(space, "a", &root);

	must(space_rename(space, "a", "a", 0, &root));
	ck_assert_uint_eq(ino_of(space, "a"), ino);
	ck_assert_int_eq(space_count(space), 1);
}
END_TEST

START_TEST(test_kept_names_rename_to_itself_without_replacing_eexist)
{
	struct space *space = new_space();

	make_as(space, "a", &root);
	must_fail(space_rename(space, "a", "a", RENAME_NOREPLACE, &root), EEXIST);
}
END_TEST

START_TEST(test_kept_names_rename_without_replacing_of_free_name_succeeds)
{
	struct space *space = new_space();
	ino_t ino = make_as(space, "a", &root);

	must(space_rename(space, "a", "b", RENAME_NOREPLACE, &root));
	ck_assert_uint_eq(ino_of(space, "b"), ino);
}
END_TEST

START_TEST(test_kept_names_rename_with_other_flags_einval)
{
	struct space *space = new_space();

	make_as(space, "a", &root);
	make_as(space, "b", &root);
	must_fail(space_rename(space, "a", "b", RENAME_EXCHANGE, &root), EINVAL);
	must_fail(space_rename(space, "a", "b", RENAME_WHITEOUT, &root), EINVAL);
	ck_assert_int_eq(space_count(space), 2);
}
END_TEST

START_TEST(test_kept_names_replaced_object_stays_with_who_has_it)
{
	struct space *space = new_space();
	struct file *file = object_make_open(space, "b", O_RDWR);
	ino_t ino = make_as(space, "a", &root);

	file_put(file, "hello");
	must(space_rename(space, "a", "b", 0, &root));
	ck_assert_uint_eq(ino_of(space, "b"), ino);
	file_expect(file, 100, "hello");
	ck_assert_uint_eq(object_stat(file->channel).st_nlink, 0);
	object_close(file);
}
END_TEST

START_TEST(test_kept_names_replaced_object_is_given_back)
{
	struct space *space = new_space();

	make_as(space, "a", &root);
	make_as(space, "b", &stranger);
	must(space_rename(space, "a", "b", 0, &root));
	ck_assert_uint_eq(user_charged(&host.users, STRANGER, USER_CHANNELS), 0);
}
END_TEST

START_TEST(test_kept_names_owner_renames_its_own)
{
	struct space *space = new_space();
	ino_t ino = make_as(space, "a", &stranger);

	make_as(space, "b", &stranger);
	must(space_rename(space, "a", "b", 0, &stranger));
	ck_assert_uint_eq(ino_of(space, "b"), ino);
}
END_TEST

START_TEST(test_kept_names_given_away_is_the_new_owners_to_remove)
{
	struct space *space = new_space();
	const struct stat attr = {.st_uid = STRANGER};
	struct channel *channel = object_make(space, "a");

	must(channel_change(channel, NULL, &attr, CHANGE_UID, &root));
	object_unref(channel);
	must(space_remove(space, "a", &stranger));
	ck_assert_uint_eq(user_charged(&host.users, 0, USER_CHANNELS), 0);
}
END_TEST

/* The daemon was killed when it had done what it had not yet answered. */
START_TEST(test_kept_names_request_that_comes_again_is_done)
{
	struct space *space = new_space();

	make_as(space, "a", &root);
	make_as(space, "b", &root);
	host.journal->request = 1;
	must(space_remove(space, "a", &root));
	must_fail(space_remove(space, "a", &root), ENOENT);
	host.journal->is_again = true;
	must(space_remove(space, "a", &root));
	host.journal->request = 2;
	must_fail(space_remove(space, "a", &root), ENOENT);
	must_fail(space_rename(space, "a", "b", 0, &root), ENOENT);
	must(space_rename(space, "b", "a", 0, &root));
	must(space_rename(space, "b", "a", 0, &root));
	must_fail(space_rename(space, "b", "c", 0, &root), ENOENT);
	host.journal->request = 3;
	must_fail(space_rename(space, "b", "a", 0, &root), ENOENT);
	host.journal->is_again = false;
}
END_TEST

START_TEST(test_kept_names_renaming_touches_ctime)
{
	struct space *space = new_space();
	struct channel *channel = object_make(space, "a");

	kept_from(channel)->attributes->ctime = (struct timespec){0};
	must(space_rename(space, "a", "b", 0, &root));
	ck_assert_int_gt(object_stat(channel).st_ctim.tv_sec, 0);
	object_unref(channel);
}
END_TEST

static void add_rename_tests(Suite *suite)
{
	suite_add(suite, "rename",
		  (const TTest *const[]){
			  test_kept_names_rename_keeps_the_object_in_use,
			  test_kept_names_rename_to_itself_changes_nothing,
			  test_kept_names_rename_to_itself_without_replacing_eexist,
			  test_kept_names_rename_without_replacing_of_free_name_succeeds,
			  test_kept_names_rename_with_other_flags_einval,
			  test_kept_names_replaced_object_stays_with_who_has_it,
			  test_kept_names_replaced_object_is_given_back,
			  test_kept_names_owner_renames_its_own,
			  test_kept_names_renaming_touches_ctime,
			  test_kept_names_request_that_comes_again_is_done,
			  NULL,
		  });
}

int main(void)
{
	Suite *suite = suite_create("kept_names");

	suite_add(suite, "objects",
		  (const TTest *const[]){
			  test_kept_names_new_object_has_a_name_and_its_makers_charge,
			  test_kept_names_refused_object_leaves_nothing,
			  test_kept_names_numbers_are_never_used_again,
			  test_kept_names_removed_object_has_no_link,
			  test_kept_names_many_are_all_found,
			  test_kept_names_closed_space_gives_up_its_objects,
			  test_kept_names_given_away_is_the_new_owners_to_remove,
			  NULL,
		  });
	add_rename_tests(suite);
	return suite_run(suite);
}
