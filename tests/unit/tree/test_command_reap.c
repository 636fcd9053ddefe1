// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The verb reap. The objects are regions, of which a lease tells whether anybody has them open.
 */
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/host/configured.h"
#include "lib/tree/reaper.h"
#include "tests/unit/commands.h"
#include "tests/unit/native.h"
#include "tests/unit/objects.h"

/* Makes the region, and waits until it is old enough to be reaped with idle=0. */
static void make_old(const char *name)
{
	time_t now = time(NULL);

	native_file_make(name, "hello");
	while (time(NULL) < now + 3)
		usleep(10000);
}

static bool is_there(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/shm/%s", name);
	return access(path, F_OK) == 0;
}

START_TEST(test_command_reap_removes_what_is_unused_and_reports)
{
	commands_open();
	make_old("r");
	must(command("reap shm idle=0 dry=yes"));
	ck_assert_ptr_nonnull(strstr(command_told, "reap shm: 1 would be removed, "));
	ck_assert(is_there("r"));
	must(command("reap shm idle=0"));
	ck_assert_ptr_nonnull(strstr(command_told, "reap shm: 1 removed, "));
	ck_assert_ptr_nonnull(strstr(command_told, "\n  shm/r, owner 0: no process has it open or "
						   "mapped\n"));
	ck_assert(!is_there("r"));
}
END_TEST

START_TEST(test_command_reap_leaves_what_is_open)
{
	int fd;

	commands_open();
	make_old("r");
	fd = (int)must_call(open("/dev/shm/r", O_RDONLY | O_CLOEXEC));
	must(command("reap shm idle=0"));
	ck_assert_str_eq(command_told, "reap shm: 0 removed, 0 bytes\n"
				       "  nothing unused for 0 seconds is yours to remove\n");
	close(fd);
	must(command("reap shm idle=0"));
	ck_assert(!is_there("r"));
}
END_TEST

START_TEST(test_command_reap_leaves_what_is_young_configured_or_anothers)
{
	commands_open();
	make_old("r");
	must(command("reap shm"));
	must(command("reap shm idle=1h"));
	must(command("reap shm idle=0 owner=65534"));
	must(command_as(&stranger, COMMAND_STRICT, "reap shm idle=0"));
	ck_assert_str_eq(command_told, "reap shm: 0 removed, 0 bytes\n"
				       "  nothing unused for 0 seconds is yours to remove\n");
	must(configured_add(&host, "shm", "r"));
	must(command("reap shm idle=0"));
	ck_assert(is_there("r"));
}
END_TEST

START_TEST(test_command_reap_every_is_for_the_configuration)
{
	commands_open();
	must_fail(command("reap shm every=1h"), EINVAL);
	ck_assert_ptr_null(host.reapers);
	must(command_as(&root, COMMAND_KEEP, "reap shm idle=1d owner=0 every=1h"));
	ck_assert_ptr_nonnull(host.reapers);
	ck_assert_str_eq(command_told, "");
	reapers_end(&host);
	ck_assert_ptr_null(host.reapers);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("command_reap");

	suite_add(suite, "reap",
		  (const TTest *const[]){
			  test_command_reap_removes_what_is_unused_and_reports,
			  test_command_reap_leaves_what_is_open,
			  test_command_reap_leaves_what_is_young_configured_or_anothers,
			  test_command_reap_every_is_for_the_configuration,
			  NULL,
		  });
	return suite_run(suite);
}
