/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A daemon that spins while it waits for the next request must sleep in the end, however long it
 * may spin.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { N_REQUESTS = 500 };

static const char *const options[] = {"spin=0", "spin=100", "spin=10000"};

enum { N_OPTIONS = 3 };

/* Makes requests that come as close together as possible. */
static void keep_busy(const struct mount *mount)
{
	char byte = 'x';
	int fd = (int)must(open(mount_path(mount, "pipes/busy"), O_RDWR | O_CREAT, 0600));

	for (int i = 0; i < N_REQUESTS; i++) {
		ck_assert_int_eq(must(write(fd, &byte, 1)), 1);
		ck_assert_int_eq(must(read(fd, &byte, 1)), 1);
	}
	must(close(fd));
}

START_TEST(test_idle_daemon_sleeps_after_a_burst)
{
	struct mount mount;

	fixture_namespaces();
	mount_start(&mount, "idle", options[_i]);
	for (int burst = 0; burst < 3; burst++) {
		keep_busy(&mount);
		task_must_block(mount.daemon, SYS_epoll_wait);
	}
	must(kill(mount.daemon, SIGTERM));
	ck_assert_int_eq(mount_wait(&mount), 0);
}
END_TEST

START_TEST(test_idle_too_long_a_look_is_refused)
{
	char command[256];
	int status;

	fixture_namespaces();
	must(mkdir(scratch_path("idle"), 0755));
	snprintf(command, sizeof(command),
		 "\"$IPCFS\" '%s' -o spin=10001 2>&1 | grep -q spin=10001", scratch_path("idle"));
	status = system(command);
	ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("idle");
	TCase *tcase = tcase_create("idle");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, test_idle_daemon_sleeps_after_a_burst, 0, N_OPTIONS);
	tcase_add_test(tcase, test_idle_too_long_a_look_is_refused);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
