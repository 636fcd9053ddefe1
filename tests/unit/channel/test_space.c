/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What space.c adds to the directories of any kind: selectors in names, errors for what a space
 * does not do, and the directory's own attributes.
 */
#include <sys/stat.h>

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"
#include "tests/unit/native.h"
#include "tests/unit/objects.h"

static unsigned n_destroyed;

static void count_destroy(struct space *space)
{
	n_destroyed++;
}

static const struct space_ops idle_ops = {.destroy = count_destroy};

/* Looks up NAME:N. Returns 0 or -errno, and sets *ret_selector as parsed. */
static int lookup(struct space *space, const char *name, struct selector *ret_selector)
{
	struct entry entry;
	int r = space_lookup(space, name, &root, &entry, ret_selector);

	if (r == 0)
		channel_unref(entry.channel);
	return r;
}

START_TEST(test_space_last_unref_destroys)
{
	struct space space = {0};

	space_init(&space, &idle_ops, &host, "toys");
	ck_assert_ptr_eq(space_ref(&space), &space);
	space_unref(&space);
	ck_assert_uint_eq(n_destroyed, 0);
	space_unref(&space);
	ck_assert_uint_eq(n_destroyed, 1);
	space_unref(NULL);
}
END_TEST

START_TEST(test_space_that_makes_nothing_eperm)
{
	struct space space = {0};
	struct channel *channel = NULL;

	space_init(&space, &idle_ops, &host, "toys");
	must_fail(object_create(&space, "a", S_IFREG | 0600, &root, &channel), EPERM);
	must_fail(space_remove(&space, "a", &root), EPERM);
	must_fail(space_rename(&space, "a", "b", 0, &root), EPERM);
}
END_TEST

static int lookup_refuse(struct space *space, const char *name, struct caller *caller,
			 struct entry *ret_entry)
{
	return -EACCES;
}

START_TEST(test_space_lookup_error_comes_through)
{
	static const struct space_ops ops = {.destroy = count_destroy, .lookup = lookup_refuse};
	struct space space = {.kind = &queue_kind};
	struct selector selector;

	space_init(&space, &ops, &host, "queues");
	must_fail(lookup(&space, "q", &selector), EACCES);
	must_fail(lookup(&space, "q:9", &selector), EACCES);
}
END_TEST

START_TEST(test_space_selector_is_split_from_name)
{
	struct space *space = fixture_open(&queue_kind);
	struct selector selector;

	object_unref(object_make(space, "q"));
	must(lookup(space, "q:9", &selector));
	ck_assert(selector.is_set);
	ck_assert_uint_eq(selector.value, 9);
	must(lookup(space, "q", &selector));
	ck_assert(!selector.is_set);
}
END_TEST

START_TEST(test_space_selector_is_split_at_last_colon)
{
	struct space *space = fixture_open(&queue_kind);
	struct entry queue;
	struct selector selector;

	must(space_create(space, "q:x:3", S_IFREG | 0600, NULL, &root, &queue, &selector));
	entry_unref(&queue);
	ck_assert_uint_eq(selector.value, 3);
	must(lookup(space, "q:x", &selector));
	ck_assert(!selector.is_set);
}
END_TEST

START_TEST(test_space_selector_at_limit_is_taken_and_over_it_einval)
{
	struct space *space = fixture_open(&queue_kind);
	struct channel *queue = NULL;
	struct selector selector;

	object_unref(object_make(space, "q"));
	must(lookup(space, "q:32767", &selector));
	ck_assert_uint_eq(selector.value, 32767);
	must_fail(lookup(space, "q:32768", &selector), EINVAL);
	must_fail(lookup(space, "q:99999999999999999999", &selector), EINVAL);
	must_fail(object_create(space, "r:32768", S_IFREG | 0600, &root, &queue), EINVAL);
	ck_assert_int_eq(space_count(space), 1);
}
END_TEST

START_TEST(test_space_selector_that_is_no_number_is_of_the_name)
{
	static const char *const names[] = {"q:", "q:x", "q:-1", "q:+1", "q: 1", "q:1x", ":1"};
	struct space *space = fixture_open(&queue_kind);
	struct selector selector;

	object_unref(object_make(space, "q"));
	for (int i = 0; i < 7; i++)
		must_fail(lookup(space, names[i], &selector), ENOENT);
}
END_TEST

START_TEST(test_space_object_of_the_whole_name_wins)
{
	struct space *space = fixture_open(&queue_kind);
	struct selector selector;
	struct entry entry;
	mode_t mode;
	ino_t ino;

	object_unref(object_make(space, "q"));
	native_queue_close(native_queue_make("/q:1", 1, 8));
	must(space_lookup(space, "q:1", &root, &entry, &selector));
	ck_assert(!selector.is_set);
	ck_assert_int_eq(space_list_find(space, "q:1", &ino, &mode), 1);
	ck_assert_uint_eq(object_stat(entry.channel).st_ino, ino);
	object_unref(entry.channel);
}
END_TEST

START_TEST(test_space_selector_of_absent_object_enoent)
{
	struct space *space = fixture_open(&queue_kind);
	struct selector selector;

	must_fail(lookup(space, "q:9", &selector), ENOENT);
}
END_TEST

START_TEST(test_space_selector_creates_what_stands_before_it)
{
	struct space *space = fixture_open(&queue_kind);
	struct entry queue;
	struct selector selector;
	mode_t mode;
	ino_t ino;

	must(space_create(space, "q:7", S_IFREG | 0600, NULL, &root, &queue, &selector));
	entry_unref(&queue);
	ck_assert(selector.is_set);
	ck_assert_uint_eq(selector.value, 7);
	ck_assert_int_eq(space_list_find(space, "q", &ino, &mode), 1);
}
END_TEST

START_TEST(test_space_of_kind_that_does_not_select_has_colons_in_names)
{
	struct space *space = fixture_open(&pipe_kind);
	struct selector selector;

	object_unref(object_make(space, "p:9"));
	must(lookup(space, "p:9", &selector));
	ck_assert(!selector.is_set);
	must_fail(lookup(space, "p", &selector), ENOENT);
}
END_TEST

/* For every kind (by _i): a name that is too long is not found, and creates nothing. */
START_TEST(test_space_name_that_is_too_long_is_refused)
{
	struct space *space = fixture_open(kinds[_i]);
	struct channel *channel = NULL;
	char name[1024] = "";

	memset(name, 'n', 1000);
	strcat(name, ":5");
	ck_assert_int_lt(object_lookup(space, name, NULL), 0);
	must_fail(object_create(space, name, S_IFREG | 0600, &root, &channel), ENAMETOOLONG);
	ck_assert_int_eq(space_count(space), 0);
}
END_TEST

START_TEST(test_space_stat_is_of_an_open_directory)
{
	struct space *space = fixture_open(kinds[_i]);
	struct stat attr;

	space_stat(space, &attr);
	/* Without the sticky bit, because of fs.protected_regular. */
	ck_assert_uint_eq(attr.st_mode, S_IFDIR | 0777);
	ck_assert_uint_eq(attr.st_uid, 0);
	ck_assert_uint_eq(attr.st_ino, space->ino);
	ck_assert_int_eq(attr.st_size, 0);
	ck_assert_int_gt(attr.st_mtim.tv_sec, 0);
}
END_TEST

START_TEST(test_space_stat_of_one_that_makes_nothing_is_not_writable)
{
	struct space space = {0};
	struct stat attr;

	space_init(&space, &idle_ops, &host, "toys");
	space_stat(&space, &attr);
	ck_assert_uint_eq(attr.st_mode, S_IFDIR | 0755);
}
END_TEST

START_TEST(test_space_numbers_of_different_spaces_do_not_meet)
{
	struct space a = {.ino_unit = 3, .ino_bits = 22}, b = {.ino_unit = 4, .ino_bits = 23};
	const ino_t most = (1 << 22) - 1;

	ck_assert_uint_ne(space_ino(&a, 7), space_ino(&b, 7));
	ck_assert_uint_ne(space_ino(&a, 7), space_ino(&a, 8));
	ck_assert_uint_ne(space_ino(&a, 7), space_path_ino("queues"));
	ck_assert_uint_ne(space_path_ino("queues"), space_path_ino("pipes"));
	ck_assert_uint_eq(space_path_ino("queues"), space_path_ino("queues"));
	ck_assert_uint_eq(space_ino(&a, most) + 1, space_ino(&b, 0));
	ck_assert_uint_ne(space_ino(&a, 7), space_part_ino(&a, 7, INO_MIRROR));
	ck_assert_uint_le(space_part_ino(&b, 2 * most + 1, INO_ADDRESS), UINT32_MAX);
}
END_TEST

START_TEST(test_space_number_that_is_too_large_becomes_one_of_64_bits)
{
	struct space a = {.ino_unit = 3, .ino_bits = 22}, b = {.ino_unit = 4, .ino_bits = 22};
	struct space cut = {.ino_unit = 5, .ino_bits = 22, .ino_is_cut = true};
	struct space none = {0};
	const ino_t large = 1 << 22;

	ck_assert_uint_gt(space_ino(&a, large), UINT32_MAX);
	ck_assert_uint_ne(space_ino(&a, large), space_ino(&b, large));
	ck_assert_uint_ne(space_ino(&a, large), space_part_ino(&a, large, INO_MIRROR));
	ck_assert_uint_gt(space_name_ino("x"), UINT32_MAX);
	ck_assert_uint_ne(space_name_ino("x"), space_name_ino("y"));
	ck_assert_uint_eq(space_ino(&cut, large + 7), space_ino(&cut, 7));
	ck_assert_uint_eq(space_ino(&none, large), large);
	ck_assert_uint_le(space_address_ino("x"), UINT32_MAX);
}
END_TEST

int main(void)
{
	const struct kind_test tests[] = {
		{test_space_name_that_is_too_long_is_refused, 0},
		{test_space_stat_is_of_an_open_directory, 0},
		{NULL},
	};
	Suite *suite = suite_create("space");

	suite_add(suite, "space",
		  (const TTest *const[]){
			  test_space_last_unref_destroys,
			  test_space_that_makes_nothing_eperm,
			  test_space_lookup_error_comes_through,
			  test_space_stat_of_one_that_makes_nothing_is_not_writable,
			  test_space_numbers_of_different_spaces_do_not_meet,
			  test_space_number_that_is_too_large_becomes_one_of_64_bits,
			  NULL,
		  });
	suite_add(suite, "selector",
		  (const TTest *const[]){
			  test_space_selector_is_split_from_name,
			  test_space_selector_is_split_at_last_colon,
			  test_space_selector_at_limit_is_taken_and_over_it_einval,
			  test_space_selector_that_is_no_number_is_of_the_name,
			  test_space_object_of_the_whole_name_wins,
			  test_space_selector_of_absent_object_enoent,
			  test_space_selector_creates_what_stands_before_it,
			  test_space_of_kind_that_does_not_select_has_colons_in_names,
			  NULL,
		  });
	suite_add_kinds(suite, tests);
	return suite_run(suite);
}
