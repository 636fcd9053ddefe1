// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Names in the texts of info/: any bytes come out as valid UTF-8 without control characters.
 */
#include "lib/base/cleanup.h"
#include "lib/info/info_text.h"
#include "tests/unit/fixture.h"

static const struct {
	const char *text, *special, *escaped;
} escapes[] = {
	{"", "", ""},
	{"plain", "\"\\", "plain"},
	{"a\"b\\c", "\"\\", "a\\\"b\\\\c"},
	{"a\"b\\c", "", "a\"b\\c"},
	{"tab\tnewline\n\x01\x7f", "", "tab\\x09newline\\x0a\\x01\\x7f"},
	{"ü€😀", "", "ü€😀"},
	{"\xff\xc0\x80", "", "\\xff\\xc0\\x80"},
	{"\xc3", "", "\\xc3"},
	{"\xe2\x82", "", "\\xe2\\x82"},
	{"\xf0\x9f\x98", "", "\\xf0\\x9f\\x98"},
	{"\xed\xa0\x80", "", "\\xed\\xa0\\x80"}, /* a surrogate */
	{"\xe0\x80\xaf", "", "\\xe0\\x80\\xaf"}, /* overlong */
	{"\xf4\x90\x80\x80", "", "\\xf4\\x90\\x80\\x80"} /* beyond U+10FFFF */,
};
#define N_ESCAPES (sizeof(escapes) / sizeof(escapes[0]))

START_TEST(test_info_escape_gives_valid_text)
{
	CLEANUP_FREE char *escaped = info_escape(escapes[_i].text, escapes[_i].special);

	ck_assert_str_eq(escaped, escapes[_i].escaped);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("info_escape");

	suite_add_loop(suite, "escape",
		       (const TTest *const[]){test_info_escape_gives_valid_text, NULL}, N_ESCAPES);
	return suite_run(suite);
}
