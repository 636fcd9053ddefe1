// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rows as JSON, and JSON as data in a page: nothing in it ends the script element or begins another
 * one, and it is still the same JSON.
 */
#include <json-c/json.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/info/info_json.h"
#include "lib/info/info_row.h"
#include "tests/unit/fixture.h"

static char *in_script(const char *json)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_ptr_nonnull(out);
	info_json_print_in_script(json, out);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

START_TEST(test_info_json_in_a_script_has_no_markup)
{
	CLEANUP_FREE char *text = in_script("\"</script><!--&amp;\xe2\x80\xa8\xe2\x80\xa9\"");

	ck_assert_str_eq(text, "\"\\u003c/script\\u003e\\u003c!--\\u0026amp;\\u2028\\u2029\"");
}
END_TEST

START_TEST(test_info_json_in_a_script_leaves_the_rest_as_it_is)
{
	static const char json[] = "{\"a\":[1,-2.5,\"\\\"\\\\ \xe2\x82\xac \xe2\x80\xa7\"]}";
	CLEANUP_FREE char *text = in_script(json);

	ck_assert_str_eq(text, json);
}
END_TEST

/* Every byte that a name can have, and what a parser makes of it. */
START_TEST(test_info_json_in_a_script_is_the_same_json)
{
	struct row row = {0};
	char name[256];
	json_object *object, *again;
	CLEANUP_FREE char *text = NULL;

	for (int i = 0; i < 255; i++)
		name[i] = (char)(i + 1);
	name[255] = '\0';
	row_add_text(&row, "name", name);
	object = info_json_row(&row);
	text = in_script(json_object_to_json_string(object));
	ck_assert_ptr_null(strpbrk(text, "<>&"));
	again = json_tokener_parse(text);
	ck_assert_int_eq(json_object_equal(object, again), 1);
	json_object_put(again);
	json_object_put(object);
	row_fini(&row);
}
END_TEST

START_TEST(test_info_json_fill_is_the_fullest_of_what_is_limited)
{
	struct row row = {0};

	ck_assert_double_eq(info_fill(&row), -1);
	row_add_bytes(&row, "bytes", 1);
	ck_assert_double_eq(info_fill(&row), -1);
	row_add_bytes(&row, "capacity", 4);
	ck_assert_double_eq(info_fill(&row), 0.25);
	row_add_number(&row, "messages", 8);
	row_add_number(&row, "maxmsg", 8);
	ck_assert_double_eq(info_fill(&row), 1);
	row_fini(&row);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("info_json");

	suite_add(suite, "json",
		  (const TTest *const[]){
			  test_info_json_in_a_script_has_no_markup,
			  test_info_json_in_a_script_leaves_the_rest_as_it_is,
			  test_info_json_in_a_script_is_the_same_json,
			  test_info_json_fill_is_the_fullest_of_what_is_limited,
			  NULL,
		  });
	return suite_run(suite);
}
