// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Directories with a fixed set of entries: listed in order, found by their whole name, and released
 * with the folder. A probe is a space that counts how many probes were destroyed.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/channel/folder.h"
#include "lib/channel/text.h"
#include "lib/tree/root.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

static int n_destroyed;
static char listed[256]; /* names, each followed by a blank */

static void probe_destroy(struct space *space)
{
	n_destroyed++;
	free(space);
}

static const struct space_ops probe_ops = {.destroy = probe_destroy};

static struct space *probe_new(const char *path)
{
	struct space *space = calloc(1, sizeof(*space));

	ck_assert_ptr_nonnull(space);
	space_init(space, &probe_ops, &host, path);
	return space;
}

static struct folder *make(void)
{
	struct folder *folder = NULL;

	must(folder_new(&host, "", &folder));
	return folder;
}

static bool list_entry(void *data, const char *name, ino_t ino, mode_t mode)
{
	size_t length = strlen(listed);

	ck_assert(ino != 0);
	ck_assert(S_ISDIR(mode) || S_ISREG(mode));
	snprintf(listed + length, sizeof(listed) - length, "%s%s ", name, S_ISDIR(mode) ? "/" : "");
	return !data || strcmp(data, name) != 0;
}

/* Looks up a name, which must exist. The caller releases the entry. */
static struct entry find(struct space *space, const char *name)
{
	struct selector selector;
	struct entry entry;

	must(space_lookup(space, name, &root, &entry, &selector));
	return entry;
}

static int try_find(struct space *space, const char *name)
{
	struct selector selector;
	struct entry entry;

	return space_lookup(space, name, &root, &entry, &selector);
}

static int print(void *data, struct caller *reader, FILE *out)
{
	return fputs("hello\n", out) < 0 ? -ENOMEM : 0;
}

static const struct text_ops text_ops = {.print = print};

START_TEST(test_folder_lists_in_order_of_adding)
{
	struct folder *folder = make();
	struct space *space = folder_space(folder);
	struct entry text = {0};

	must(folder_add(folder, "zebra", (struct entry){.space = probe_new("zebra")}));
	must(text_new(space, "mouse", &text_ops, NULL, &text.channel));
	must(folder_add(folder, "mouse", text));
	must(folder_add(folder, "ape", (struct entry){.space = probe_new("ape")}));
	must(space_list(space, &root, list_entry, NULL));
	ck_assert_str_eq(listed, "zebra/ mouse ape/ ");
	folder_clear(space);
	space_unref(space);
	ck_assert_int_eq(n_destroyed, 2);
}
END_TEST

START_TEST(test_folder_listing_ends_where_it_is_told_to)
{
	struct folder *folder = make();
	char stop[] = "b";

	must(folder_add(folder, "a", (struct entry){.space = probe_new("a")}));
	must(folder_add(folder, "b", (struct entry){.space = probe_new("b")}));
	must(folder_add(folder, "c", (struct entry){.space = probe_new("c")}));
	must(space_list(folder_space(folder), &root, list_entry, stop));
	ck_assert_str_eq(listed, "a/ b/ ");
	space_unref(folder_space(folder));
	ck_assert_int_eq(n_destroyed, 3);
}
END_TEST

START_TEST(test_folder_lookup_wants_the_whole_name)
{
	struct folder *folder = make();
	struct space *space = folder_space(folder);
	struct space *probe = probe_new("pipes");
	struct entry entry;

	must(folder_add(folder, "pipes", (struct entry){.space = probe}));
	entry = find(space, "pipes");
	ck_assert_ptr_eq(entry.space, probe);
	ck_assert_ptr_null(entry.channel);
	space_unref(entry.space);
	must_fail(try_find(space, "pipe"), ENOENT);
	must_fail(try_find(space, "pipes2"), ENOENT);
	must_fail(try_find(space, "Pipes"), ENOENT);
	must_fail(try_find(space, ""), ENOENT);
	space_unref(space);
}
END_TEST

START_TEST(test_folder_entry_outlives_it)
{
	struct folder *folder = make();
	struct entry entry;

	must(folder_add(folder, "a", (struct entry){.space = probe_new("a")}));
	entry = find(folder_space(folder), "a");
	space_unref(folder_space(folder));
	ck_assert_int_eq(n_destroyed, 0);
	space_unref(entry.space);
	ck_assert_int_eq(n_destroyed, 1);
}
END_TEST

START_TEST(test_folder_cleared_is_empty)
{
	struct folder *folder = make();
	struct space *space = folder_space(folder);

	must(folder_add(folder, "a", (struct entry){.space = probe_new("a")}));
	folder_clear(space);
	ck_assert_int_eq(n_destroyed, 1);
	ck_assert_int_eq(space_count(space), 0);
	must_fail(try_find(space, "a"), ENOENT);
	space_unref(space);
}
END_TEST

START_TEST(test_folder_makes_nothing_removes_nothing)
{
	struct folder *folder = make();
	struct space *space = folder_space(folder);
	struct channel *channel = NULL;

	must(folder_add(folder, "a", (struct entry){.space = probe_new("a")}));
	must_fail(object_create(space, "b", S_IFREG | 0600, &root, &channel), EPERM);
	must_fail(space_remove(space, "a", &root), EPERM);
	must_fail(space_rename(space, "a", "b", 0, &root), EPERM);
	space_unref(space);
}
END_TEST

START_TEST(test_folder_add_at_makes_folders_between)
{
	struct folder *folder = make();
	struct space *probe = probe_new("sysv/shm/deep");
	struct entry sysv, shm, deep;

	must(folder_add_at(folder, "", "sysv/shm/deep", probe));
	sysv = find(folder_space(folder), "sysv");
	shm = find(sysv.space, "shm");
	deep = find(shm.space, "deep");
	ck_assert_ptr_eq(deep.space, probe);
	ck_assert(sysv.space->is_lasting && shm.space->is_lasting);
	ck_assert_uint_eq(sysv.space->ino, space_path_ino("sysv"));
	ck_assert_uint_eq(shm.space->ino, space_path_ino("sysv/shm"));
	space_unref(deep.space);
	space_unref(shm.space);
	space_unref(sysv.space);
	space_unref(folder_space(folder));
	ck_assert_int_eq(n_destroyed, 1);
}
END_TEST

START_TEST(test_folder_add_at_uses_folders_that_are_there)
{
	struct folder *folder = make();
	struct entry sysv;

	must(folder_add_at(folder, "info/", "sysv/shm", probe_new("info/sysv/shm")));
	must(folder_add_at(folder, "info/", "sysv/sems", probe_new("info/sysv/sems")));
	must(folder_add_at(folder, "info/", "pipes", probe_new("info/pipes")));
	ck_assert_int_eq(space_count(folder_space(folder)), 2);
	sysv = find(folder_space(folder), "sysv");
	ck_assert_int_eq(space_count(sysv.space), 2);
	ck_assert_uint_eq(sysv.space->ino, space_path_ino("info/sysv"));
	space_unref(sysv.space);
	space_unref(folder_space(folder));
	ck_assert_int_eq(n_destroyed, 3);
}
END_TEST

static void tell_missing(const char *path, int error)
{
	ck_abort_msg("no %s: %s", path, error_name(error));
}

START_TEST(test_folder_root_has_all_and_goes_whole)
{
	struct space *space = NULL;

	must(root_new(&host, tell_missing, &space));
	must(space_list(space, &root, list_entry, NULL));
	ck_assert_msg(strncmp(listed, "README ctl ", 11) == 0, "%s", listed);
	ck_assert_ptr_nonnull(strstr(listed, " pipes/ "));
	ck_assert_ptr_nonnull(strstr(listed, " queues/ "));
	ck_assert_ptr_nonnull(strstr(listed, " shm/ "));
	ck_assert_ptr_nonnull(strstr(listed, " info/ "));
	root_free(&host, space);
	ck_assert_ptr_null(host.info);
	ck_assert_ptr_null(host.spaces);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("folder");

	suite_add(suite, "folder",
		  (const TTest *const[]){
			  test_folder_lists_in_order_of_adding,
			  test_folder_listing_ends_where_it_is_told_to,
			  test_folder_lookup_wants_the_whole_name,
			  test_folder_entry_outlives_it,
			  test_folder_cleared_is_empty,
			  test_folder_makes_nothing_removes_nothing,
			  NULL,
		  });
	suite_add(suite, "folders in folders",
		  (const TTest *const[]){
			  test_folder_add_at_makes_folders_between,
			  test_folder_add_at_uses_folders_that_are_there,
			  test_folder_root_has_all_and_goes_whole,
			  NULL,
		  });
	return suite_run(suite);
}
