/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all channels share: the scratch buffer, those who wait for an object to be made, closing
 * behind the loop's back.
 */
#include <fcntl.h>

#include "lib/base/cleanup.h"
#include "lib/host/host.h"
#include "tests/unit/fixture.h"
#include "tests/unit/held.h"

struct client {
	struct host_waiter waiter;
	unsigned n;
	bool waits_again;
	struct client *other; /* who is no more to wait when this one is called */
};

static void client_run(struct host_waiter *waiter)
{
	struct client *client = CONTAINER_OF(waiter, struct client, waiter);

	client->n++;
	if (client->waits_again)
		host_wait(&host, waiter);
	if (client->other)
		host_unwait(&host, &client->other->waiter);
}

static void client_wait(struct client *client)
{
	client->waiter.run = client_run;
	host_wait(&host, &client->waiter);
}

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

#ifndef __SANITIZE_ADDRESS__ /* it reports an allocation that fails, in a file that stays open */
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

START_TEST(test_host_retry_calls_who_waits_once)
{
	struct client a = {0}, b = {0};

	client_wait(&a);
	client_wait(&b);
	host_retry(&host);
	ck_assert_uint_eq(a.n, 0); /* only after the present handler */
	loop_run_tasks(loop);
	host_retry(&host);
	loop_run_tasks(loop);
	ck_assert_uint_eq(a.n, 1);
	ck_assert_uint_eq(b.n, 1);
}
END_TEST

START_TEST(test_host_waiting_twice_is_called_once)
{
	struct client a = {0};

	client_wait(&a);
	client_wait(&a);
	host_retry(&host);
	loop_run_tasks(loop);
	ck_assert_uint_eq(a.n, 1);
}
END_TEST

START_TEST(test_host_waiting_again_waits_for_the_next_retry)
{
	struct client a = {.waits_again = true};

	client_wait(&a);
	host_retry(&host);
	loop_run_tasks(loop);
	ck_assert_uint_eq(a.n, 1);
	host_retry(&host);
	loop_run_tasks(loop);
	ck_assert_uint_eq(a.n, 2);
	host_unwait(&host, &a.waiter);
}
END_TEST

START_TEST(test_host_unwaiting_is_not_called)
{
	struct client a = {0};

	client_wait(&a);
	host_retry(&host);
	host_unwait(&host, &a.waiter);
	host_unwait(&host, &a.waiter);
	loop_run_tasks(loop);
	ck_assert_uint_eq(a.n, 0);
}
END_TEST

START_TEST(test_host_unwaiting_during_retry_is_not_called)
{
	struct client second = {0}, third = {0};
	struct client first = {.other = &second};

	client_wait(&first);
	client_wait(&second);
	client_wait(&third);
	host_retry(&host);
	loop_run_tasks(loop);
	ck_assert_uint_eq(second.n, 0);
	ck_assert_uint_eq(third.n, 1);
}
END_TEST

START_TEST(test_host_close_closes)
{
	int fd = (int)must_call(open("/", O_PATH | O_CLOEXEC));

	host_close(&host, fd);
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
	host_close(&host, fd);
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
	suite_add(suite, "retry",
		  (const TTest *const[]){
			  test_host_retry_calls_who_waits_once,
			  test_host_waiting_twice_is_called_once,
			  test_host_waiting_again_waits_for_the_next_retry,
			  test_host_unwaiting_is_not_called,
			  test_host_unwaiting_during_retry_is_not_called,
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
