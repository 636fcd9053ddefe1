/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One bit of the state is turned over while a daemon serves objects of all kinds, and the daemon is
 * killed. The next one may end the mount or go on, with or without some of the objects. It does not
 * crash, and nobody hangs.
 *
 * $IPCFS_TEST_FLIPS is the number of mounts, by default 15; $IPCFS_TEST_SEED repeats a test that
 * has failed. Each mount has a PID namespace of its own: a number that is wrong may be a process's.
 */
#include "tests/mount/all_in_use.h"
#include "tests/mount/fixture.h"
#include "tests/mount/flip.h"
#include "tests/mount/process.h"
#include "tests/mount/takeover.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONG = 10000 }; /* milliseconds */

/* What became of a mount; shared with the process that looks at it. */
struct course {
	unsigned int seed;
	struct flip flip;
	bool has_ended;    /* the mount, by itself */
	const char *fault; /* a constant; NULL: none */
};

static struct course *course;

/* The log is a file, with the lines of every daemon. */
static int log_begin(void)
{
	int log = (int)must(open(scratch_path("log"), O_RDWR | O_CREAT | O_APPEND, 0600));

	must(dup2(log, STDERR_FILENO));
	close(log);
	return STDERR_FILENO;
}

static char *log_read(int log)
{
	static char text[65536];
	ssize_t n = must(pread(log, text, sizeof(text) - 1, 0));

	text[n] = '\0';
	return text;
}

/* Whether a daemon died by its own fault. */
static bool has_crashed(int log)
{
	static const char *const signs[] = {"SIGSEGV", "SIGBUS",    "SIGABRT",       "SIGILL",
					    "SIGFPE",  "Sanitizer", "runtime error", "Assertion"};
	const char *text = log_read(log);

	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
		if (strstr(text, signs[i]))
			return true;
	return false;
}

static bool is_stopped(void *pid)
{
	return task_state(*(pid_t *)pid) == 'T';
}

static bool is_over(void *former)
{
	pid_t daemon = takeover_daemon(&ipc);

	return task_state(ipc.daemon) == 'Z' || (daemon && daemon != *(pid_t *)former);
}

/* Kills the daemon. Returns whether the next one serves within some seconds, or nobody does. */
static bool follow(pid_t daemon)
{
	kill(daemon, SIGKILL);
	return wait_until(is_over, &daemon, LONG) && all_use();
}

static void corrupt(pid_t daemon)
{
	nanosleep(&(struct timespec){.tv_nsec = random() % 3000000}, NULL);
	must(kill(daemon, SIGSTOP));
	ck_assert(wait_until(is_stopped, &daemon, LONG));
	course->flip = flip_one(daemon);
}

static void run_course(void)
{
	pid_t daemon = takeover_daemon(&ipc);

	ck_assert_int_ne(daemon, 0);
	corrupt(daemon);
	if (!follow(daemon)) {
		course->fault = "a call hangs";
		return;
	}
	daemon = takeover_daemon(&ipc);
	course->has_ended = task_state(ipc.daemon) == 'Z';
	if (daemon && !follow(daemon))
		course->fault = "a call hangs when the daemon is killed once more";
	if (task_state(ipc.daemon) != 'Z')
		kill(ipc.daemon, SIGTERM);
	if (mount_wait(&ipc) == -1)
		course->fault = "the mount does not end";
	if (!all_end())
		course->fault = "a call does not end with the mount";
}

/* A line of the configuration runs again and again, so the state has it, too. */
static void start_mount(void)
{
	char options[256];
	int fd = (int)must(open(scratch_path("config"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));

	must(write(fd, "reap queues every=1h idle=1d\n", 29));
	close(fd);
	snprintf(options, sizeof(options), "allow_other,supervise=yes,config=%s",
		 scratch_path("config"));
	mount_start(&ipc, "ipc", options);
}

/* The first process of a PID namespace. */
static int run_alone(void)
{
	int log;

	/*
	 * The kernel takes its time to free the queues of the mounts before. A container's root may
	 * lack the right: then there is room for some mounts, as in CI, but not for thousands.
	 */
	setrlimit(RLIMIT_MSGQUEUE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY});
	fixture_namespaces();
	must(mount("proc", "/proc", "proc", 0, NULL));
	log = log_begin();
	srandom(course->seed);
	start_mount();
	all_begin();
	run_course();
	if (has_crashed(log))
		course->fault = "a daemon crashed";
	if (course->fault) {
		printf("# %s\n", log_read(log));
		fflush(stdout);
		mount_abort(&ipc);
	}
	return 0;
}

static int run_in_namespace(void *unused)
{
	int status;
	pid_t pid;

	must(unshare(CLONE_NEWPID));
	pid = (pid_t)must(fork());
	if (pid == 0)
		_exit(run_alone());
	must(waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static unsigned int number_of(const char *name, unsigned int usual)
{
	const char *text = getenv(name);

	return text && *text ? (unsigned int)strtoul(text, NULL, 10) : usual;
}

static void run_one(unsigned int seed)
{
	pid_t pid;

	*course = (struct course){.seed = seed};
	pid = child_start(run_in_namespace, NULL);
	ck_assert_msg(child_has_ended(pid, 90000), "seed %u: hangs", seed);
	ck_assert_msg(child_end(pid) == 0, "seed %u: failed", seed);
	if (course->fault)
		printf("# seed %u: bit %d of byte %llu in region %d: %s\n", seed, course->flip.bit,
		       (unsigned long long)course->flip.offset, course->flip.region, course->fault);
	fflush(stdout);
}

START_TEST(test_takeover_flips)
{
	unsigned int seed = number_of("IPCFS_TEST_SEED", (unsigned int)time(NULL));
	unsigned int n = number_of("IPCFS_TEST_FLIPS", 15), n_ended = 0, n_faults = 0;

	course = mmap(NULL, sizeof(*course), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ck_assert_ptr_ne(course, MAP_FAILED);
	for (unsigned int i = 0; i < n; i++) {
		run_one(seed + i);
		n_faults += course->fault != NULL;
		n_ended += course->has_ended;
	}
	printf("# seeds from %u on: %u mounts, of which %u ended\n", seed, n, n_ended);
	fflush(stdout);
	ck_assert_msg(!n_faults, "%u of %u mounts were at fault", n_faults, n);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("takeover_flips");
	TCase *tcase = tcase_create("flips");

	tcase_set_timeout(tcase, 120 + number_of("IPCFS_TEST_FLIPS", 15));
	tcase_add_test(tcase, test_takeover_flips);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
