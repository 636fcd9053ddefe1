// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which files may hold the credentials of a cluster.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/host/creds.h"
#include "tests/unit/fixture.h"

#define PATH "/dev/shm/creds" /* the test's own */

static char why[256];

static void make(uid_t uid, mode_t mode)
{
	int fd = (int)must_call(open(PATH, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

	must_call(fchown(fd, uid, 0));
	must_call(fchmod(fd, mode));
	close(fd);
}

static int check(void)
{
	return creds_check(PATH, why, sizeof(why));
}

START_TEST(test_creds_of_root_alone_are_accepted)
{
	make(0, 0600);
	must(check());
	make(0, 0400);
	must(check());
}
END_TEST

START_TEST(test_creds_that_others_have_access_to_are_refused)
{
	const mode_t modes[] = {0640, 0620, 0610, 0604, 0602, 0601};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		make(0, modes[i]);
		must_fail(check(), EACCES);
		ck_assert_str_eq(why, PATH ": other users have access to it: chmod 600 " PATH);
	}
}
END_TEST

START_TEST(test_creds_of_another_user_are_refused)
{
	make(STRANGER, 0600);
	must_fail(check(), EACCES);
	ck_assert_str_eq(why, PATH ": belongs to user 65534: chown it to 0, or to root");
}
END_TEST

START_TEST(test_creds_of_an_ordinary_user_are_the_users_own_or_roots)
{
	make(STRANGER, 0600);
	fixture_drop_privileges();
	must(check());
}
END_TEST

START_TEST(test_creds_that_are_no_file_are_refused)
{
	must_fail(check(), ENOENT);
	ck_assert_str_eq(why, PATH ": No such file or directory");
	must_call(mkfifo(PATH, 0600));
	must_fail(check(), EINVAL); /* and nothing waits for its writer */
	ck_assert_str_eq(why, PATH ": not a regular file");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("creds");

	suite_add(suite, "files",
		  (const TTest *const[]){
			  test_creds_of_root_alone_are_accepted,
			  test_creds_that_others_have_access_to_are_refused,
			  test_creds_of_another_user_are_refused,
			  test_creds_of_an_ordinary_user_are_the_users_own_or_roots,
			  test_creds_that_are_no_file_are_refused,
			  NULL,
		  });
	return suite_run(suite);
}
