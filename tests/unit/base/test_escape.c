// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names for any bytes: unescaping a name gives the bytes back, and a name that escaping never gives
 * is refused.
 */
#include "lib/base/escape.h"

#include <stdlib.h>

#include "tests/unit/fixture.h"

static const struct {
	const char *text;
	size_t size;
	const char *name;
} pairs[] = {
	{"hello", 5, "hello"}, {"/tmp/.X11-unix/X0", 17, "%2Ftmp%2F.X11-unix%2FX0"},
	{"a\0b", 3, "a%00b"},  {"100% of \n", 9, "100%25%20of%20%0A"},
	{".", 1, "%2E"},       {"..", 2, "%2E%2E"},
	{".a", 2, ".a"},       {"\xc3\xa9", 2, "\xc3\xa9"},
};

START_TEST(test_escape_name_is_as_in_urls)
{
	char *name = escape_name(pairs[_i].text, pairs[_i].size);

	ck_assert_str_eq(name, pairs[_i].name);
	free(name);
}
END_TEST

START_TEST(test_escape_name_comes_back)
{
	char text[32];
	size_t size;

	must(unescape_name(pairs[_i].name, text, sizeof(text), &size));
	ck_assert_uint_eq(size, pairs[_i].size);
	ck_assert_mem_eq(text, pairs[_i].text, size);
}
END_TEST

START_TEST(test_escape_bad_name_enoent)
{
	static const char *const bad[] = {"", "%", "%2", "%zz", "a%2", "12345"};
	char text[4];
	size_t size;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		must_fail(unescape_name(bad[i], text, sizeof(text), &size), ENOENT);
	must(unescape_name("1234", text, sizeof(text), &size));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("escape");

	suite_add_loop(suite, "pairs",
		       (const TTest *const[]){
			       test_escape_name_is_as_in_urls,
			       test_escape_name_comes_back,
			       NULL,
		       },
		       sizeof(pairs) / sizeof(pairs[0]));
	suite_add(suite, "bad", (const TTest *const[]){test_escape_bad_name_enoent, NULL});
	return suite_run(suite);
}
