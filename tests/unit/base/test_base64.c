// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Decoding base64 that anybody may have written.
 */
#include "lib/base/base64.h"

#include "lib/base/cleanup.h"
#include "tests/unit/fixture.h"

static const struct {
	const char *text, *data;
} good[] = {
	/* RFC 4648, section 10 */
	{"", ""},
	{"Zg==", "f"},
	{"Zm8=", "fo"},
	{"Zm9v", "foo"},
	{"Zm9vYg==", "foob"},
	{"Zm9vYmE=", "fooba"},
	{"Zm9vYmFy", "foobar"},
	{"+/+/", "\xfb\xff\xbf"},
};

static const char *const bad[] = {
	"Z",      "Zg",   "Zg=",      "Zg===",    "=",
	"==",     "===",  "====",     "Zg==Zm9v", "Zh==",
	"Zm9=", /* unused bits that are not zero */
	"Zm9v\n", "Zm 9", "Zm9-",     "Zm9_",     "=m9v",
	"Z=9v",   "Zm=v", "Zm9v====", "Zm9\xff",  "\xc3\xa4\xc3\xa4",
};

START_TEST(test_base64_decode_gives_the_bytes)
{
	CLEANUP_FREE char *data = NULL;
	size_t size;

	must(base64_decode(good[_i].text, strlen(good[_i].text), &data, &size));
	ck_assert_uint_eq(size, strlen(good[_i].data));
	ck_assert_str_eq(data, good[_i].data);
}
END_TEST

START_TEST(test_base64_decode_refuses_what_no_encoder_writes)
{
	char *data = NULL;
	size_t size;

	must_fail(base64_decode(bad[_i], strlen(bad[_i]), &data, &size), EINVAL);
	ck_assert_ptr_null(data);
}
END_TEST

/* The text is in memory of its own size, so that a sanitizer sees each step too far. */
START_TEST(test_base64_decode_reads_no_further_than_the_size)
{
	for (size_t size = 0; size < 8; size++) {
		CLEANUP_FREE char *text = malloc(size + !size), *data = NULL;
		size_t n;

		memset(text, '=', size);
		ck_assert_int_eq(base64_decode(text, size, &data, &n), size ? -EINVAL : 0);
		memset(text, 'A', size);
		free(TAKE_PTR(data));
		ck_assert_int_eq(base64_decode(text, size, &data, &n), size % 4 ? -EINVAL : 0);
	}
}
END_TEST

START_TEST(test_base64_decode_gives_bytes_of_zero)
{
	CLEANUP_FREE char *data = NULL;
	size_t size;

	must(base64_decode("AAAA", 4, &data, &size));
	ck_assert_uint_eq(size, 3);
	ck_assert_mem_eq(data, "\0\0\0", 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base64");

	suite_add_loop(suite, "good",
		       (const TTest *const[]){test_base64_decode_gives_the_bytes, NULL},
		       sizeof(good) / sizeof(*good));
	suite_add_loop(
		suite, "bad",
		(const TTest *const[]){test_base64_decode_refuses_what_no_encoder_writes, NULL},
		sizeof(bad) / sizeof(*bad));
	suite_add(suite, "bytes",
		  (const TTest *const[]){
			  test_base64_decode_reads_no_further_than_the_size,
			  test_base64_decode_gives_bytes_of_zero,
			  NULL,
		  });
	return suite_run(suite);
}
