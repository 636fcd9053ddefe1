/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A live ipcfs for one test. Every test has its own mount and IPC namespaces, so it meets no object
 * of the machine and leaves none behind, even when it fails or is killed. The daemon runs in the
 * foreground as the test's own child. $IPCFS is the program. Each mount gets the options in
 * $IPCFS_TEST_OPTIONS, if that is set.
 */
#ifndef TESTS_MOUNT_FIXTURE_H
#define TESTS_MOUNT_FIXTURE_H

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/types.h>

struct mount {
	char dir[96];
	pid_t daemon;
	unsigned int minor; /* the mount's number below /sys/fs/fuse/connections */
};

/* The mount of the running test, made by fixture_setup(). */
extern struct mount ipc;

/*
 * A checked fixture of the Check library. The teardown closes the files that the test has open in
 * the mount. It fails the test if the daemon then has more descriptors than before the test, or if
 * the daemon does not end with status 0 on SIGTERM.
 */
void fixture_setup(void);
/* The same with a mount whose pipes the daemon serves, unless a test asks for other pipes. */
void fixture_setup_served(void);
/* The same with a supervisor, which is the test's child. */
void fixture_setup_supervised(void);
void fixture_teardown(void);
/* For other set-ups: starts the test's mount with these options, after fixture_namespaces(). */
void fixture_mount(const char *options);
/* Sets up only the namespaces, for tests that start their own mount. */
void fixture_namespaces(void);

/* Runs the suite. Prints TAP on stdout and returns the exit code for main(). */
int suite_run(Suite *suite);
/* Adds a test case of that name with the fixture above and a time limit in seconds. */
TCase *suite_case(Suite *suite, const char *name, int seconds);
/* The same with the mount of fixture_setup_served(). */
TCase *suite_case_served(Suite *suite, const char *name, int seconds);
/* The same with the mount of fixture_setup_supervised(). */
TCase *suite_case_supervised(Suite *suite, const char *name, int seconds);
/* The same with another set-up, which ends with fixture_mount(). */
TCase *suite_case_set_up(Suite *suite, const char *name, int seconds, SFun setup);

/* Whether $IPCFS_TEST_OPTIONS turns this kernel feature (lib/host/feature.h) off. */
bool mount_is_without(const char *feature);
/*
 * Adds a test that runs with `i` as its _i. `needs` lists the kernel features that it needs,
 * separated by ':'. If one of them is turned off, the test is left out, and a TAP comment says so.
 */
void case_add_needing(TCase *tcase, const TTest *test, int i, const char *needs);

/*
 * Starts a mount on the directory `name` of the test's tmpfs, and waits until the mount answers.
 * Makes the directory if it is missing. Fails the test if the mount does not answer.
 */
void mount_start(struct mount *mount, const char *name, const char *options);
/*
 * Returns the argument for -o: $IPCFS_TEST_OPTIONS, then `options`, which take precedence. Valid
 * until the next call.
 */
const char *mount_options(const char *options);
/*
 * Waits for the daemon to end. Returns its wait status, or -1 if it had to be killed after 10
 * seconds.
 */
int mount_wait(struct mount *mount);
/* Aborts the FUSE connection, which releases every process that waits for the daemon. */
void mount_abort(const struct mount *mount);
/* The number of requests that the daemon has not answered yet, or -1 if it cannot be read. */
int mount_waiting(const struct mount *mount);
/* Waits until the daemon has handled all requests that were made before this call. */
void mount_settle(const struct mount *mount);
/*
 * The number of the daemon's descriptors, and its private memory in KiB. Both settle the mount
 * first.
 */
int mount_descriptors(const struct mount *mount);
long mount_memory(const struct mount *mount);
/* Whether $IPCFS is built with AddressSanitizer. Its use of memory then means nothing. */
bool program_is_sanitized(void);

/*
 * The path of a name in a mount, and in `ipc`. Valid until the 16th later call of this thread to a
 * function that returns a path.
 */
const char *mount_path(const struct mount *mount, const char *name);
const char *ipc_path(const char *name);
/* A path on the test's own tmpfs, outside every mount. */
const char *scratch_path(const char *name);

/* Evaluates a call that returns -1 and sets errno on failure. Fails the test if it returns -1. */
#define must(call)                                                               \
	({                                                                       \
		long must_ret = (long)(call);                                    \
		ck_assert_msg(must_ret != -1, "%s: %s", #call, strerror(errno)); \
		must_ret;                                                        \
	})

/* Evaluates an expression that must fail with that errno. */
#define must_fail(call, error)                                                             \
	do {                                                                               \
		errno = 0;                                                                 \
		long must_ret = (long)(call);                                              \
		int must_errno = errno;                                                    \
		ck_assert_msg(must_ret == -1, "%s: returned %ld, not %s", #call, must_ret, \
			      strerrorname_np(error));                                     \
		ck_assert_msg(must_errno == (error), "%s: %s, not %s", #call,              \
			      strerrorname_np(must_errno), strerrorname_np(error));        \
	} while (0)

#endif
