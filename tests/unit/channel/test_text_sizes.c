// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The size of a text: before it is made, and while it is open.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/channel/folder.h"
#include "lib/channel/place.h"
#include "lib/channel/text.h"
#include "tests/unit/fixture.h"
#include "tests/unit/objects.h"

static struct folder *folder;
static struct channel *text;
static unsigned n_prints;

static int print(void *data, struct caller *reader, FILE *out)
{
	fprintf(out, "for %u: %u", reader->uid, ++n_prints);
	return 0;
}

static const struct text_ops quick_ops = {.print = print};
static const struct text_ops large_ops = {.print = print, .first_size = 100000};
static const struct text_ops sized_ops = {.print = print, .has_size = true};

static void make(const struct text_ops *ops)
{
	must(folder_new(&host, "", &folder));
	must(text_new(folder_space(folder), "text", ops, NULL, &text));
}

static void unmake(void)
{
	channel_unref(text);
	space_unref(folder_space(folder));
}

START_TEST(test_text_that_is_always_the_same_has_its_size)
{
	make(&sized_ops);
	ck_assert_int_eq(object_stat(text).st_size, (off_t)strlen("for 0: 1"));
	unmake();
}
END_TEST

START_TEST(test_text_shows_the_size_of_the_last_one)
{
	struct file *file = NULL;
	struct stat attr;

	make(&quick_ops);
	must(object_open_as(text, O_RDONLY, &stranger, &file));
	ck_assert_int_eq(object_stat(text).st_size, (off_t)strlen("for 65534: 1"));
	channel_release(object_open(text, O_RDONLY));
	ck_assert_int_eq(object_stat(text).st_size, (off_t)strlen("for 0: 2"));
	must(file_stat(file, &attr));
	ck_assert_int_eq(attr.st_size, (off_t)strlen("for 65534: 1"));
	ck_assert_int_gt(attr.st_blocks, 0);
	channel_release(file);
	unmake();
}
END_TEST

START_TEST(test_text_that_is_large_says_so_before_it_is_made)
{
	make(&large_ops);
	ck_assert_int_eq(object_stat(text).st_size, 100000);
	channel_release(object_open(text, O_RDONLY));
	ck_assert_int_eq(object_stat(text).st_size, (off_t)strlen("for 0: 1"));
	unmake();
}
END_TEST

START_TEST(test_text_has_data_and_behind_it_a_hole)
{
	off_t end = (off_t)strlen("for 0: 1"), found;
	struct file *file;

	make(&quick_ops);
	file = object_open(text, O_RDONLY);
	must(channel_seek(file, 3, SEEK_DATA, &root, &found));
	ck_assert_int_eq(found, 3);
	must(channel_seek(file, 3, SEEK_HOLE, &root, &found));
	ck_assert_int_eq(found, end);
	must_fail(channel_seek(file, end, SEEK_DATA, &root, &found), ENXIO);
	must_fail(channel_seek(file, end, SEEK_HOLE, &root, &found), ENXIO);
	must_fail(channel_seek(file, -1, SEEK_DATA, &root, &found), ENXIO);
	must_fail(channel_seek(file, 0, SEEK_END, &root, &found), EINVAL);
	channel_release(file);
	unmake();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("text_sizes");

	suite_add(suite, "sizes",
		  (const TTest *const[]){
			  test_text_that_is_always_the_same_has_its_size,
			  test_text_shows_the_size_of_the_last_one,
			  test_text_that_is_large_says_so_before_it_is_made,
			  test_text_has_data_and_behind_it_a_hole,
			  NULL,
		  });
	return suite_run(suite);
}
