/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all channels share: the scratch buffer, and closing descriptors outside the loop.
 */
#include <fcntl.h>

#include "lib/base/cleanup.h"
#include "lib/host/host.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"

START_TEST(test_host_scratch_holds_the_largest_request)
{
	ck_assert_uint_ge(host.scratch_size, HOST_IO_MAX);
}
END_TEST

START_TEST(test_host_reserve_grows_and_keeps_content)
{
	size_t size = host.scratch_size;

	memcpy(host.scratch, "hello", 5);
	must(host_reserve(&host, 2 * size));
	ck_assert_uint_eq(host.scratch_size, 2 * size);
	ck_assert_mem_eq(host.scratch, "hello", 5);
	memset(host.scratch, 'x', 2 * size);
}
END_TEST

START_TEST(test_host_reserve_of_less_changes_nothing)
{
	char *scratch = host.scratch;
	size_t size = host.scratch_size;

	must(host_reserve(&host, 1));
	ck_assert_ptr_eq(host.scratch, scratch);
	ck_assert_uint_eq(host.scratch_size, size);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* ASan's report of a failed allocation leaves a file open */
START_TEST(test_host_reserve_of_too_much_enomem)
{
	volatile size_t too_much = SIZE_MAX / 4;
	char *scratch = host.scratch;
	size_t size = host.scratch_size;

	must_fail(host_reserve(&host, too_much), ENOMEM);
	ck_assert_ptr_eq(host.scratch, scratch);
	ck_assert_uint_eq(host.scratch_size, size);
}
END_TEST
#endif

START_TEST(test_host_close_closes)
{
	int fd = (int)must_call(open("/", O_PATH | O_CLOEXEC));

	host_close(&host, 0, fd);
	host_stop(&host); /* waits for the workers */
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

START_TEST(test_host_close_without_workers_closes)
{
	int before, fd;

	host_stop(&host);
	before = fixture_descriptors();
	fd = (int)must_call(open("/", O_PATH | O_CLOEXEC));
	host_close(&host, 0, fd);
	ck_assert_int_eq(fixture_descriptors(), before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("host");

	suite_add(suite, "scratch",
		  (const TTest *const[]){
			  test_host_scratch_holds_the_largest_request,
			  test_host_reserve_grows_and_keeps_content,
			  test_host_reserve_of_less_changes_nothing,
#ifndef __SANITIZE_ADDRESS__
			  test_host_reserve_of_too_much_enomem,
#endif
			  NULL,
		  });
	suite_add(suite, "close",
		  (const TTest *const[]){
			  test_host_close_closes,
			  test_host_close_without_workers_closes,
			  NULL,
		  });
	return suite_run(suite);
}
