// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Quoting text that users chose. Any bytes come out as valid UTF-8 without control characters; the
 * same bytes always give the same text, and different bytes a different text.
 */
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/base/quote.h"
#include "tests/unit/fixture.h"

static const struct {
	const char *text, *quoted;
} texts[] = {
	{"", ""},
	{"plain", "plain"},
	{"a\"b\\c&d", "a\"b\\c&d"},
	{"tab\tnewline\n\x01\x7f", "tab\\x09newline\\x0a\\x01\\x7f"},
	{"\x1b[31m", "\\x1b[31m"},
	{"ü€😀", "ü€😀"},
	{"\\x1b", "\\x5cx1b"}, /* a backslash and letters */
	{"\\\\x", "\\\\x5cx"},
	{"\xff\xc0\x80", "\\xff\\xc0\\x80"},
	{"\xc3", "\\xc3"},
	{"\xe2\x82", "\\xe2\\x82"},
	{"\xf0\x9f\x98", "\\xf0\\x9f\\x98"},
	{"\xed\xa0\x80", "\\xed\\xa0\\x80"},           /* a surrogate */
	{"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},           /* overlong */
	{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},  /* beyond U+10FFFF */
	{"\xc2\x85\xc2\x9b", "\\xc2\\x85\\xc2\\x9b"},  /* other controls: next line, CSI */
	{"\xe2\x80\xa8", "\\xe2\\x80\\xa8"},           /* a line separator */
	{"\xe2\x80\xaenimda", "\\xe2\\x80\\xaenimda"}, /* right-to-left */
	{"\xe2\x81\xa6\xe2\x81\xa5", "\\xe2\\x81\\xa6\xe2\x81\xa5"},
};
#define N_TEXTS (sizeof(texts) / sizeof(texts[0]))

START_TEST(test_quote_text_is_one_line_of_utf8)
{
	CLEANUP_FREE char *quoted = quote_text(texts[_i].text);

	ck_assert_str_eq(quoted, texts[_i].quoted);
}
END_TEST

START_TEST(test_quote_string_can_be_put_between_quotes)
{
	CLEANUP_FREE char *quoted = quote_string("a\"b\\c&d\n\\x0a\\");

	ck_assert_str_eq(quoted, "a\\\"b\\\\c&d\\\\x0a\\\\x5cx0a\\\\");
}
END_TEST

START_TEST(test_quote_label_has_no_entities)
{
	CLEANUP_FREE char *quoted = quote_label("a&#27;\"&amp;\\");

	ck_assert_str_eq(quoted, "a&amp;#27;\\\"&amp;amp;\\\\");
}
END_TEST

/* Gets back the text that `quoted` was made of. */
static void unquote(const char *quoted, unsigned char *ret_text)
{
	unsigned byte;

	while (*quoted) {
		if (sscanf(quoted, "\\x%2x", &byte) == 1) {
			*ret_text++ = (unsigned char)byte;
			quoted += 4;
		} else {
			*ret_text++ = (unsigned char)*quoted++;
		}
	}
	*ret_text = '\0';
}

/* Tries a byte (by _i) in front of every other byte. */
START_TEST(test_quote_text_gives_every_byte_back)
{
	unsigned char text[4] = {(unsigned char)(_i + 1)}, back[4 * sizeof(text)];

	for (unsigned second = 1; second < 256; second++) {
		CLEANUP_FREE char *quoted = NULL;

		text[1] = (unsigned char)second;
		text[2] = 'x';
		quoted = quote_text((char *)text);
		for (const char *c = quoted; *c; c++)
			ck_assert((unsigned char)*c >= ' ' && *c != 0x7f);
		unquote(quoted, back);
		ck_assert_str_eq((char *)back, (char *)text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quote");

	suite_add_loop(suite, "text",
		       (const TTest *const[]){test_quote_text_is_one_line_of_utf8, NULL}, N_TEXTS);
	suite_add_loop(suite, "bytes",
		       (const TTest *const[]){test_quote_text_gives_every_byte_back, NULL}, 255);
	suite_add(suite, "formats",
		  (const TTest *const[]){
			  test_quote_string_can_be_put_between_quotes,
			  test_quote_label_has_no_entities,
			  NULL,
		  });
	return suite_run(suite);
}
