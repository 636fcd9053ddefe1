/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds for the names of every kind. Every kind that lib/kinds/kinds.c lists is tested.
 */
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"
#include "tests/unit/sample.h"

START_TEST(test_contract_names_new_space_is_empty)
{
	struct space *space = fixture_open(kinds[_i]);

	ck_assert_ptr_eq(space->kind, kinds[_i]);
	ck_assert_ptr_eq(space->host, &host);
	ck_assert_int_eq(space_count(space), 0);
}
END_TEST

START_TEST(test_contract_names_created_is_of_its_kind_and_space)
{
	struct space *space = fixture_open(kinds[_i]);
	struct channel *channel = sample_make(space, "a");

	ck_assert_ptr_eq(channel->space->kind, kinds[_i]);
	ck_assert_ptr_eq(channel->space, space);
	ck_assert_uint_eq(channel->n_files, 0);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_names_created_is_found)
{
	struct space *space = fixture_open(kinds[_i]);
	struct channel *channel = sample_make(space, "a");
	struct channel *found = sample_find(space, "a");

	ck_assert_ptr_eq(found, channel);
	object_unref(found);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_names_unreferenced_is_still_found)
{
	struct space *space = fixture_open(kinds[_i]);
	ino_t ino;
	struct channel *channel = sample_make(space, "a");

	ino = object_stat(channel).st_ino;
	object_unref(channel);
	channel = sample_find(space, "a");
	ck_assert_uint_eq(object_stat(channel).st_ino, ino);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_names_lists_each_once_as_stat_has_it)
{
	struct space *space = fixture_open(kinds[_i]);
	char name[8];
	mode_t mode;
	ino_t ino;

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		object_unref(sample_make(space, name));
	}
	ck_assert_int_eq(space_count(space), 3);
	for (int i = 0; i < 3; i++) {
		struct channel *channel;

		snprintf(name, sizeof(name), "n%d", i);
		channel = sample_find(space, name);
		ck_assert_int_eq(sample_list_find(space, name, &ino, &mode), 1);
		ck_assert_uint_eq(ino, object_stat(channel).st_ino);
		ck_assert_uint_eq(mode & S_IFMT, S_IFREG);
		object_unref(channel);
	}
}
END_TEST

static bool stop_at_first(void *data, const char *name, ino_t ino, mode_t mode)
{
	++*(int *)data;
	return false;
}

START_TEST(test_contract_names_list_ends_when_told)
{
	struct space *space = fixture_open(kinds[_i]);
	int n = 0;

	object_unref(sample_make(space, "a"));
	object_unref(sample_make(space, "b"));
	must(space_list(space, &root, stop_at_first, &n));
	ck_assert_int_eq(n, 1);
}
END_TEST

START_TEST(test_contract_names_objects_have_numbers_of_their_own)
{
	struct space *space = fixture_open(kinds[_i]);
	struct channel *a = sample_make(space, "a");
	struct channel *b = sample_make(space, "b");

	ck_assert_uint_ne(object_stat(a).st_ino, object_stat(b).st_ino);
	object_unref(a);
	object_unref(b);
}
END_TEST

START_TEST(test_contract_names_absent_enoent)
{
	struct space *space = fixture_open(kinds[_i]);

	must_fail(sample_lookup(space, "absent", NULL), ENOENT);
}
END_TEST

START_TEST(test_contract_names_created_twice_eexist)
{
	struct space *space = fixture_open(kinds[_i]);
	struct channel *channel = sample_make(space, "a");
	struct channel *second = NULL;

	must_fail(sample_create(space, "a", S_IFREG | 0666, &root, &second), EEXIST);
	ck_assert_ptr_null(second);
	ck_assert_uint_eq(object_stat(channel).st_mode, S_IFREG | 0600);
	object_unref(channel);
}
END_TEST

/* Only regular files, and the nodes that a kind may have, can be created. */
START_TEST(test_contract_names_device_eperm)
{
	static const mode_t types[] = {S_IFCHR, S_IFBLK, S_IFDIR, S_IFLNK};
	struct space *space = fixture_open(kinds[_i]);
	struct channel *channel;

	for (int i = 0; i < 4; i++)
		must_fail(sample_create(space, "a", types[i] | 0600, &root, &channel), EPERM);
	ck_assert_int_eq(space_count(space), 0);
}
END_TEST

static bool is_keyed(int i)
{
	return sample_of(kinds[i])->traits & SAMPLE_KEYED;
}

static bool is_renamed(int i)
{
	return sample_of(kinds[i])->traits & SAMPLE_RENAMES;
}

START_TEST(test_contract_names_longest_is_created_or_einval)
{
	struct space *space = fixture_open(kinds[_i]);
	size_t longest = is_keyed(_i) ? NAME_MAX : sample_of(kinds[_i])->name_max;
	struct channel *channel = NULL;
	char name[NAME_MAX + 1] = "";
	mode_t mode;
	ino_t ino;

	memset(name, 'n', longest);
	if (is_keyed(_i)) {
		must_fail(object_create(space, name, S_IFREG | 0600, &root, &channel), EINVAL);
		return;
	}
	object_unref(object_make(space, name));
	ck_assert_int_eq(space_list_find(space, name, &ino, &mode), 1);
	must(object_lookup(space, name, NULL));
}
END_TEST

START_TEST(test_contract_names_odd_ones_are_created_or_einval)
{
	static const char *const names[] = {" ",  "a b",     "\xff\xfe", "*",
					    "-r", ".hidden", "new\nline"};
	struct space *space = fixture_open(kinds[_i]);
	struct channel *channel = NULL;
	mode_t mode;
	ino_t ino;

	for (int i = 0; i < 7; i++) {
		if (is_keyed(_i)) {
			must_fail(object_create(space, names[i], S_IFREG | 0600, &root, &channel),
				  EINVAL);
			must_fail(object_lookup(space, names[i], NULL), ENOENT);
			continue;
		}
		object_unref(object_make(space, names[i]));
		ck_assert_int_eq(space_list_find(space, names[i], &ino, &mode), 1);
		must(object_lookup(space, names[i], NULL));
		must(space_remove(space, names[i], &root));
	}
}
END_TEST

START_TEST(test_contract_names_removed_is_gone)
{
	struct space *space = fixture_open(kinds[_i]);
	mode_t mode;
	ino_t ino;

	object_unref(sample_make(space, "a"));
	object_unref(sample_make(space, "b"));
	must(sample_remove(space, "a", &root));
	must_fail(sample_lookup(space, "a", NULL), ENOENT);
	ck_assert_int_eq(sample_list_find(space, "a", &ino, &mode), 0);
	must(sample_lookup(space, "b", NULL));
}
END_TEST

START_TEST(test_contract_names_removed_while_referenced_is_gone)
{
	struct space *space = fixture_open(kinds[_i]);
	struct channel *channel = sample_make(space, "a");

	must(sample_remove(space, "a", &root));
	must_fail(sample_lookup(space, "a", NULL), ENOENT);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_names_remove_of_absent_enoent)
{
	struct space *space = fixture_open(kinds[_i]);

	must_fail(sample_remove(space, "absent", &root), ENOENT);
}
END_TEST

START_TEST(test_contract_names_made_again_is_another)
{
	struct space *space = fixture_open(kinds[_i]);
	struct channel *old = sample_make(space, "a");
	struct channel *new;

	must(sample_remove(space, "a", &root));
	new = sample_make(space, "a");
	ck_assert_ptr_ne(new, old);
	object_unref(old);
	must(sample_lookup(space, "a", NULL));
	object_unref(new);
}
END_TEST

START_TEST(test_contract_names_renamed_is_the_same_or_eperm)
{
	struct space *space = fixture_open(kinds[_i]);
	struct channel *channel = sample_make(space, "a");
	ino_t ino = object_stat(channel).st_ino;

	object_unref(channel);
	if (!is_renamed(_i)) {
		must_fail(sample_rename(space, "a", "b", 0, &root), EPERM);
		must(sample_lookup(space, "a", NULL));
		return;
	}
	must(sample_rename(space, "a", "b", 0, &root));
	must_fail(sample_lookup(space, "a", NULL), ENOENT);
	channel = sample_find(space, "b");
	ck_assert_uint_eq(object_stat(channel).st_ino, ino);
	object_unref(channel);
}
END_TEST

START_TEST(test_contract_names_renamed_over_another_replaces_it)
{
	struct space *space = fixture_open(kinds[_i]);
	struct channel *a = sample_make(space, "a");
	struct channel *b = sample_make(space, "b");
	ino_t ino = object_stat(a).st_ino;
	bool can = is_renamed(_i);

	object_unref(a);
	object_unref(b);
	ck_assert_int_eq(sample_rename(space, "a", "b", 0, &root), can ? 0 : -EPERM);
	ck_assert_int_eq(space_count(space), can ? 1 : 2);
	b = sample_find(space, "b");
	ck_assert_int_eq(object_stat(b).st_ino == ino, can);
	object_unref(b);
}
END_TEST

START_TEST(test_contract_names_renamed_without_replacing_eexist)
{
	struct space *space = fixture_open(kinds[_i]);
	const unsigned flags = RENAME_NOREPLACE;

	object_unref(sample_make(space, "a"));
	object_unref(sample_make(space, "b"));
	must_fail(sample_rename(space, "a", "b", flags, &root), is_renamed(_i) ? EEXIST : EPERM);
	ck_assert_int_eq(space_count(space), 2);
}
END_TEST

START_TEST(test_contract_names_rename_of_absent_enoent_or_eperm)
{
	struct space *space = fixture_open(kinds[_i]);

	must_fail(sample_rename(space, "absent", "b", 0, &root), is_renamed(_i) ? ENOENT : EPERM);
}
END_TEST

int main(void)
{
	const struct kind_test tests[] = {
		{test_contract_names_new_space_is_empty, 0},
		{test_contract_names_created_is_of_its_kind_and_space, 0},
		{test_contract_names_created_is_found, 0},
		{test_contract_names_unreferenced_is_still_found, 0},
		{test_contract_names_lists_each_once_as_stat_has_it, 0},
		{test_contract_names_list_ends_when_told, 0},
		{test_contract_names_objects_have_numbers_of_their_own, 0},
		{test_contract_names_absent_enoent, 0},
		{test_contract_names_created_twice_eexist, 0},
		{test_contract_names_device_eperm, 0},
		{test_contract_names_longest_is_created_or_einval, 0},
		{test_contract_names_odd_ones_are_created_or_einval, 0},
		{test_contract_names_removed_is_gone, 0},
		{test_contract_names_removed_while_referenced_is_gone, 0},
		{test_contract_names_remove_of_absent_enoent, 0},
		{test_contract_names_made_again_is_another, 0},
		{test_contract_names_renamed_is_the_same_or_eperm, 0},
		{test_contract_names_renamed_over_another_replaces_it, 0},
		{test_contract_names_renamed_without_replacing_eexist, 0},
		{test_contract_names_rename_of_absent_enoent_or_eperm, 0},
		{NULL},
	};
	Suite *suite = suite_create("contract_names");

	suite_add_kinds(suite, tests);
	return suite_run(suite);
}
