/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipcfs --status on a mount whose server takes requests and never answers them: no signal ends the
 * process that asks. The command must end nevertheless, and let go of its output.
 */
#include "tests/mount/fixture.h"
#include "tests/mount/hung.h"
#include "tests/mount/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static struct hung hung;
static int output[2];

static int status_run(void *arg)
{
	const char *program = getenv("IPCFS");

	(void)arg;
	dup2(output[1], STDOUT_FILENO);
	execl(program, program, "--status", hung.dir, NULL);
	return errno;
}

/* Reads what the command prints, to the end, which comes when nobody can print any more. */
static void read_output(char *text, size_t size)
{
	ssize_t n;

	while ((n = must(read(output[0], text, size - 1))) > 0) {
		text += n;
		size -= (size_t)n;
	}
	*text = '\0';
}

static bool is_reaped(void *arg)
{
	(void)arg;
	return waitpid(-1, NULL, WNOHANG) > 0;
}

START_TEST(test_status_of_a_server_that_never_answers)
{
	const long long start = now_us();
	char text[512], expected[256];
	pid_t pid;

	hung_start(&hung);
	must(pipe2(output, O_CLOEXEC));
	must(prctl(PR_SET_CHILD_SUBREAPER, 1)); /* of the process that the command leaves behind */
	pid = child_start(status_run, NULL);
	close(output[1]);
	read_output(text, sizeof(text));
	close(output[0]);
	ck_assert_int_eq(WEXITSTATUS(child_end(pid)), 2);
	ck_assert_int_lt(now_us() - start, 5000000);
	snprintf(expected, sizeof(expected),
		 "%s: no answer in 2 seconds; 'echo 1 > /sys/fs/fuse/connections/%u/abort' ends "
		 "it\n",
		 hung.dir, hung.minor);
	ck_assert_str_eq(text, expected);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), 0); /* it is still there */
	hung_end(&hung);
	ck_assert(wait_until(is_reaped, NULL, 5000));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("status");
	TCase *tcase = tcase_create("hung");

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, fixture_namespaces, NULL);
	tcase_add_test(tcase, test_status_of_a_server_that_never_answers);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
