// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rows: values with keys and types, and the text that lib/info writes of each value. No value can
 * pass for another line of the text.
 */
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/channel/row.h"
#include "lib/info/info_row.h"
#include "tests/unit/fixture.h"

/* Expects the row to have this text for the key. */
static void expect_value(const struct row *row, const char *key, const char *expected)
{
	const struct row_value *value = row_find(row, key);
	CLEANUP_FREE char *text = NULL;

	ck_assert_msg(value, "no %s", key);
	text = info_value_text(value);
	ck_assert_str_eq(text, expected);
}

static void expect_lines(const struct row *row, const char *expected)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	must(info_print_row(row, out));
	fclose(out);
	ck_assert_str_eq(text, expected);
	free(text);
}

START_TEST(test_row_of_nothing_is_empty)
{
	struct row row = {0};

	ck_assert_ptr_null(row_find(&row, "name"));
	expect_lines(&row, "");
	row_fini(&row);
}
END_TEST

START_TEST(test_row_keeps_types_and_order)
{
	struct row row = {0};

	row_add_number(&row, "number", UINT64_MAX);
	row_add_signed(&row, "signed", INT64_MIN);
	row_add_bytes(&row, "bytes", 4096);
	row_add_time(&row, "time", &(struct timespec){1, 20});
	row_add_mode(&row, "mode", S_IFREG | 0640);
	row_add_word(&row, "word", "auto");
	row_add_text(&row, "text", "any");
	row_add_list(&row, "list", (const uint64_t[]){1, 65535, 0}, 3);
	row_add_list(&row, "none", NULL, 0);
	must(row.error);
	for (size_t i = 0; i < row.n; i++)
		ck_assert_ptr_eq(row_find(&row, row.values[i].key), &row.values[i]);
	ck_assert_int_eq(row_find(&row, "number")->type, ROW_NUMBER);
	ck_assert_int_eq(row_find(&row, "bytes")->type, ROW_BYTES);
	ck_assert_int_eq(row_find(&row, "text")->type, ROW_TEXT);
	expect_lines(&row,
		     "number 18446744073709551615\nsigned -9223372036854775808\nbytes 4096\n"
		     "time 1.000000020\nmode 0640\nword auto\ntext any\nlist 1,65535,0\nnone \n");
	row_fini(&row);
	ck_assert_uint_eq(row.n, 0);
}
END_TEST

START_TEST(test_row_text_is_copied_and_stays_in_its_line)
{
	char name[] = "q\nowner 0\nmode 0777";
	struct row row = {0};

	row_add_text(&row, "name", name);
	row_add_number(&row, "owner", 7);
	name[0] = 'x';
	must(row.error);
	ck_assert_str_eq(row_find(&row, "name")->text, "q\nowner 0\nmode 0777");
	expect_lines(&row, "name q\\x0aowner 0\\x0amode 0777\nowner 7\n");
	row_fini(&row);
}
END_TEST

START_TEST(test_row_finds_whole_keys_only)
{
	struct row row = {0};

	row_add_number(&row, "last-read", 1);
	ck_assert_ptr_null(row_find(&row, "last"));
	ck_assert_ptr_null(row_find(&row, "last-reader"));
	row_fini(&row);
}
END_TEST

START_TEST(test_row_times_before_1970_are_negative)
{
	struct row row = {0};

	row_add_time(&row, "half", &(struct timespec){-1, 500000000});
	row_add_time(&row, "whole", &(struct timespec){-2, 0});
	row_add_time(&row, "more", &(struct timespec){-3, 999999999});
	expect_value(&row, "half", "-0.500000000");
	expect_value(&row, "whole", "-2.000000000");
	expect_value(&row, "more", "-2.000000001");
	row_fini(&row);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* ASan's report of a failed allocation leaves a file open */
/* The list is larger than any memory, so its allocation fails, and nothing is read or written. */
START_TEST(test_row_without_memory_says_so_at_the_end)
{
	struct row row = {0};

	row_add_number(&row, "first", 1);
	row_add_list(&row, "list", NULL, SIZE_MAX / 16);
	row_add_number(&row, "last", 2);
	row_add_text(&row, "text", "any");
	ck_assert_int_eq(row.error, -ENOMEM);
	ck_assert_uint_eq(row.n, 1);
	expect_value(&row, "first", "1");
	row_fini(&row);
	ck_assert_int_eq(row.error, 0);
}
END_TEST
#endif

START_TEST(test_row_size_counts_what_it_owns)
{
	struct row row = {0};
	size_t before;

	row_add_number(&row, "number", 1);
	before = row.size;
	ck_assert_uint_ge(before, sizeof(struct row_value));
	row_add_text(&row, "text", "12345");
	row_add_list(&row, "list", (const uint64_t[]){1, 2}, 2);
	ck_assert_uint_eq(row.size, before + 6 + 16);
	for (int i = 0; i < 100; i++)
		row_add_number(&row, "more", 1);
	ck_assert_uint_ge(row.size, 100 * sizeof(struct row_value));
	row_fini(&row);
}
END_TEST

START_TEST(test_row_changes_and_loses_values)
{
	struct row row = {0};

	row_add_text(&row, "name", "any");
	row_add_number(&row, "readers", 0);
	row_add_number(&row, "writers", 0);
	row_add_word(&row, "eof", "auto");
	row_set_number(&row, "writers", 7);
	expect_lines(&row, "name any\nreaders 0\nwriters 7\neof auto\n");
	row_remove(&row, "readers");
	row_remove(&row, "name");
	expect_lines(&row, "writers 7\neof auto\n");
	row_remove(&row, "eof");
	expect_lines(&row, "writers 7\n");
	row_fini(&row);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("row");

	suite_add(suite, "row",
		  (const TTest *const[]){
			  test_row_of_nothing_is_empty,
			  test_row_keeps_types_and_order,
			  test_row_text_is_copied_and_stays_in_its_line,
			  test_row_finds_whole_keys_only,
			  test_row_times_before_1970_are_negative,
#ifndef __SANITIZE_ADDRESS__
			  test_row_without_memory_says_so_at_the_end,
#endif
			  test_row_size_counts_what_it_owns,
			  test_row_changes_and_loses_values,
			  NULL,
		  });
	return suite_run(suite);
}
