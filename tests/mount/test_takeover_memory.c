/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon is killed while many large writes wait. The next one does not read them all at once,
 * and goes on when it has no memory for those that it has to read.
 */
#include "tests/mount/channels.h"
#include "tests/mount/fixture.h"
#include "tests/mount/look.h"
#include "tests/mount/process.h"
#include "tests/mount/takeover.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	SIZE = 1 << 20,
	N_WRITERS = 300, /* with more bytes than a user may have waiting */
	N_HELD = 48,     /* with less */
	HELD_MOST = 64,  /* MiB that a user may have waiting */
	LONG = 20000,    /* milliseconds */
};

static char data[SIZE];
static _Atomic int n_begun, n_ended, n_refused, refusal;
static _Atomic long long n_written;
static int n_writers, fds[N_WRITERS];

static void *write_once(void *arg)
{
	ssize_t n;

	n_begun++;
	n = write(*(int *)arg, data, SIZE);
	if (n > 0)
		n_written += n;
	else
		refusal = errno;
	n_refused += n <= 0;
	n_ended++;
	return NULL;
}

static bool are_waiting(void *unused)
{
	return n_begun == n_writers && mount_waiting(&ipc) >= n_writers;
}

static bool are_refused(void *unused)
{
	return n_refused >= N_WRITERS - HELD_MOST - 1;
}

static bool is_one_refused(void *unused)
{
	return n_refused > 0;
}

static bool have_ended(void *unused)
{
	return n_ended == n_writers;
}

/* The kernel lets one write at a time into an inode, so each writer has its own. */
static int make_pipe(int n)
{
	look_command("create pipes/p served=daemon capacity=4K\n");
	n_writers = n;
	for (int i = 0; i < n; i++)
		fds[i] = channel_open("pipes/p", O_WRONLY);
	return channel_open("pipes/p", O_RDONLY);
}

static void start_writers(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (int i = 0; i < n_writers; i++)
		ck_assert_int_eq(pthread_create(&thread, &attr, write_once, &fds[i]), 0);
	ck_assert(wait_until(are_waiting, NULL, LONG));
}

/* A line of /proc/PID/status of the daemon, in KiB. */
static long status_of(pid_t daemon, const char *field)
{
	char path[64], line[256];
	long kib = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", daemon);
	file = fopen(path, "re");
	ck_assert_ptr_nonnull(file);
	while (kib < 0 && fgets(line, sizeof(line), file))
		if (strncmp(line, field, strlen(field)) == 0)
			kib = atol(line + strlen(field));
	fclose(file);
	ck_assert_int_ge(kib, 0);
	return kib;
}

/* Reads what the writers have written; nothing is missing, and nothing comes twice. */
static void read_all(int fd)
{
	static char buf[SIZE];
	long long n_read = 0;

	must(fcntl(fd, F_SETFL, O_NONBLOCK));
	while (!have_ended(NULL) || n_read < n_written) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n < 0)
			ck_assert_int_eq(errno, EAGAIN);
		else
			n_read += n;
	}
	must_fail(read(fd, buf, 1), EAGAIN);
	ck_assert_int_eq(n_read, n_written);
}

START_TEST(test_takeover_does_not_read_all_that_waits_at_once)
{
	int in = make_pipe(N_WRITERS);

	must(kill(takeover_daemon(&ipc), SIGSTOP));
	start_writers();
	takeover_kill();
	ck_assert(wait_until(are_refused, NULL, LONG));
	ck_assert_int_lt(n_refused, N_WRITERS);
	ck_assert_int_eq(refusal, ENOBUFS);
	if (!program_is_sanitized())
		ck_assert_int_lt(status_of(takeover_daemon(&ipc), "VmHWM:"), 3 * HELD_MOST * 1024);
	read_all(in);
}
END_TEST

/* AddressSanitizer ends a program that gets no memory. There, the writers are not refused. */
START_TEST(test_takeover_without_memory_refuses_some_and_goes_on)
{
	const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit limit;
	int in = make_pipe(N_HELD);

	takeover_kill();
	/* Each daemon begins as a copy of the supervisor. */
	limit.rlim_cur = (rlim_t)(status_of(ipc.daemon, "VmData:") + N_HELD / 2 * 1024L) * 1024;
	limit.rlim_max = RLIM_INFINITY;
	start_writers();
	mount_settle(&ipc);
	if (!program_is_sanitized())
		must(prlimit(ipc.daemon, RLIMIT_DATA, &limit, NULL));
	takeover_kill();
	must(prlimit(takeover_daemon(&ipc), RLIMIT_DATA, &none, NULL));
	must(prlimit(ipc.daemon, RLIMIT_DATA, &none, NULL));
	if (!program_is_sanitized()) {
		ck_assert(wait_until(is_one_refused, NULL, LONG));
		ck_assert_int_eq(refusal, ENOMEM);
	}
	ck_assert_int_lt(n_ended, N_HELD);
	read_all(in);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("takeover_memory");
	TCase *tcase = takeover_case(suite, "memory", 60);

	tcase_add_test(tcase, test_takeover_does_not_read_all_that_waits_at_once);
	tcase_add_test(tcase, test_takeover_without_memory_refuses_some_and_goes_on);
	return suite_run(suite);
}
