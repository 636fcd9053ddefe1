/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names that a kernel filesystem keeps. The objects are regions, because native programs can rename
 * regions behind lib's back. There is one channel for each inode, and a name is trusted only while
 * it leads to that inode.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/channel/kernel_names.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/native.h"
#include "tests/unit/objects.h"

static struct space *new_space(void)
{
	return fixture_open(&shm_kind);
}

START_TEST(test_kernel_names_all_lookups_share_one_channel)
{
	struct space *space = new_space();
	struct channel *a, *b;

	native_file_make("r", "hello");
	a = object_find(space, "r");
	b = object_find(space, "r");
	ck_assert_ptr_eq(a, b);
	ck_assert_uint_eq(a->n_refs, 2);
	object_unref(a);
	object_unref(b);
}
END_TEST

START_TEST(test_kernel_names_nothing_is_kept_of_what_nobody_refers_to)
{
	struct space *space = new_space();

	native_file_make("r", "hello");
	object_unref(object_find(space, "r"));
	ck_assert_ptr_null(named_space_from(space)->named);
}
END_TEST

START_TEST(test_kernel_names_list_refers_to_nothing)
{
	struct space *space = new_space();

	native_file_make("r", "hello");
	ck_assert_int_eq(space_count(space), 1);
	ck_assert_ptr_null(named_space_from(space)->named);
}
END_TEST

START_TEST(test_kernel_names_renamed_natively_stale_until_found)
{
	struct space *space = new_space();
	struct channel *channel, *found;
	struct stat attr;

	native_file_make("old", "hello");
	channel = object_find(space, "old");
	must_call(rename("/dev/shm/old", "/dev/shm/new"));
	must_fail(channel_stat(channel, &attr), ESTALE);
	found = object_find(space, "new");
	ck_assert_ptr_eq(found, channel);
	must(channel_stat(channel, &attr));
	ck_assert_str_eq(named_from(channel)->name, "new");
	object_unref(found);
	object_unref(channel);
}
END_TEST

START_TEST(test_kernel_names_swapped_natively_are_told_apart)
{
	struct space *space = new_space();
	struct channel *a, *b, *found;

	native_file_make("a", "this is a");
	native_file_make("b", "b");
	a = object_find(space, "a");
	b = object_find(space, "b");
	must_call(renameat2(AT_FDCWD, "/dev/shm/a", AT_FDCWD, "/dev/shm/b", RENAME_EXCHANGE));
	found = object_find(space, "b");
	ck_assert_ptr_eq(found, a);
	ck_assert_int_eq(object_stat(found).st_size, 9);
	object_unref(found);
	object_unref(a);
	object_unref(b);
}
END_TEST

START_TEST(test_kernel_names_two_names_of_one_object_share_a_channel)
{
	struct space *space = new_space();
	struct channel *a, *b;

	native_file_make("a", "hello");
	must_call(link("/dev/shm/a", "/dev/shm/b"));
	a = object_find(space, "a");
	b = object_find(space, "b");
	ck_assert_ptr_eq(a, b);
	object_unref(a);
	object_unref(b);
}
END_TEST

START_TEST(test_kernel_names_new_object_of_an_old_name_is_another)
{
	struct space *space = new_space();
	struct channel *old, *new;

	native_file_make("r", "old");
	old = object_find(space, "r");
	must_call(shm_unlink("/r"));
	native_file_make("r", "newer");
	new = object_find(space, "r");
	ck_assert_ptr_ne(new, old);
	ck_assert_int_eq(object_stat(new).st_size, 5);
	object_unref(old);
	object_unref(new);
}
END_TEST

START_TEST(test_kernel_names_open_gives_the_object_itself)
{
	struct space *space = new_space();
	struct channel *channel;
	struct stat attr;
	int fd;

	native_file_make("r", "hello");
	channel = object_find(space, "r");
	fd = (int)must(named_open(named_from(channel), O_RDONLY));
	must_call(fstat(fd, &attr));
	ck_assert_uint_eq(attr.st_ino, named_from(channel)->ino);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	object_unref(channel);
}
END_TEST

START_TEST(test_kernel_names_open_of_what_is_gone_estale)
{
	struct space *space = new_space();
	struct channel *channel;

	native_file_make("r", "old");
	channel = object_find(space, "r");
	must_call(shm_unlink("/r"));
	must_fail(named_open(named_from(channel), O_RDONLY), ESTALE);
	native_file_make("r", "new");
	must_fail(named_open(named_from(channel), O_RDONLY), ESTALE);
	object_unref(channel);
}
END_TEST

START_TEST(test_kernel_names_found_made_is_the_one_that_was_made)
{
	struct space *space = new_space();
	struct channel *channel = object_make(space, "r");
	struct channel *found = NULL;
	ino_t ino = named_from(channel)->ino;

	must(named_find_made(space, "r", ino, &found));
	ck_assert_ptr_eq(found, channel);
	object_unref(found);
	must_fail(named_find_made(space, "r", ino + 1, &found), ESTALE);
	ck_assert_uint_eq(channel->n_refs, 1);
	must_fail(named_find_made(space, "absent", ino, &found), ENOENT);
	object_unref(channel);
}
END_TEST

START_TEST(test_kernel_names_change_is_made_as_the_caller)
{
	struct space *space = new_space();
	struct channel *channel = object_make(space, "r");
	struct named *named = named_from(channel);
	const struct stat attr = {.st_mode = 0640};

	must_fail(named_change(named, -1, &attr, CHANGE_MODE, &stranger), EPERM);
	must_fail(named_change(named, channel->backing_fd, &attr, CHANGE_MODE, &stranger), EPERM);
	must(named_change(named, -1, &attr, CHANGE_MODE, &root));
	ck_assert_uint_eq(object_stat(channel).st_mode, S_IFREG | 0640);
	object_unref(channel);
}
END_TEST

START_TEST(test_kernel_names_change_by_descriptor_needs_no_name)
{
	struct space *space = new_space();
	struct file *file = object_make_open(space, "r", O_RDWR);
	struct named *named = named_from(file->channel);
	const struct stat attr = {.st_mode = 0640};

	must_call(shm_unlink("/r"));
	must_fail(named_change(named, -1, &attr, CHANGE_MODE, &root), ESTALE);
	must(named_change(named, file->channel->backing_fd, &attr, CHANGE_MODE, &root));
	ck_assert_uint_eq(object_stat(file->channel).st_mode, S_IFREG | 0640);
	object_close(file);
}
END_TEST

/* All mounts on one machine show the same objects. */
START_TEST(test_kernel_names_two_spaces_show_the_same)
{
	struct space *here = new_space();
	struct space *there = new_space();
	struct channel *a = object_make(here, "r");
	struct channel *b = object_find(there, "r");

	ck_assert_ptr_ne(a, b);
	ck_assert_uint_eq(object_stat(a).st_ino, object_stat(b).st_ino);
	must(object_chmod(a, 0604, &root));
	ck_assert_uint_eq(object_stat(b).st_mode, S_IFREG | 0604);
	must(space_remove(here, "r", &root));
	must_fail(object_lookup(there, "r", NULL), ENOENT);
	object_unref(a);
	object_unref(b);
}
END_TEST

START_TEST(test_kernel_names_owner_is_asked_where_the_directory_is_not_sticky)
{
	struct space *space = new_space();

	object_unref(object_make(space, "r"));
	must_call(chmod("/dev/shm", 0777));
	must_fail(space_remove(space, "r", &stranger), EPERM);
	must_fail(space_rename(space, "r", "s", 0, &stranger), EPERM);
	must_fail(space_remove(space, "absent", &stranger), ENOENT);
	must(space_remove(space, "r", &root));
}
END_TEST

START_TEST(test_kernel_names_directory_that_forbids_creating_eacces)
{
	struct space *space = new_space();
	struct channel *channel = NULL;

	must_call(chmod("/dev/shm", 0755));
	must_fail(object_create(space, "r", S_IFREG | 0600, &stranger, &channel), EACCES);
	ck_assert_int_eq(space_count(space), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("kernel_names");

	suite_add(suite, "inodes",
		  (const TTest *const[]){
			  test_kernel_names_all_lookups_share_one_channel,
			  test_kernel_names_nothing_is_kept_of_what_nobody_refers_to,
			  test_kernel_names_list_refers_to_nothing,
			  test_kernel_names_renamed_natively_stale_until_found,
			  test_kernel_names_swapped_natively_are_told_apart,
			  test_kernel_names_two_names_of_one_object_share_a_channel,
			  test_kernel_names_new_object_of_an_old_name_is_another,
			  test_kernel_names_two_spaces_show_the_same,
			  NULL,
		  });
	suite_add(suite, "open",
		  (const TTest *const[]){
			  test_kernel_names_open_gives_the_object_itself,
			  test_kernel_names_open_of_what_is_gone_estale,
			  test_kernel_names_found_made_is_the_one_that_was_made,
			  NULL,
		  });
	suite_add(suite, "rights",
		  (const TTest *const[]){
			  test_kernel_names_change_is_made_as_the_caller,
			  test_kernel_names_change_by_descriptor_needs_no_name,
			  test_kernel_names_owner_is_asked_where_the_directory_is_not_sticky,
			  test_kernel_names_directory_that_forbids_creating_eacces,
			  NULL,
		  });
	return suite_run(suite);
}
