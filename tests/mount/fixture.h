/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A live ipcfs for one test. Every test has mount and IPC namespaces of its own, so it meets no
 * object of the machine and leaves none behind, even when it fails or is killed. The daemon
 * runs in the foreground as the test's own child; $IPCFS is the program, and each mount has the
 * options $IPCFS_TEST_OPTIONS, if that is set.
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
	unsigned int minor; /* its number below /sys/fs/fuse/connections */
};

/* The mount of the test that runs, made by fixture_setup. */
extern struct mount ipc;

/*
 * Checked fixture. The teardown closes what the test has open in the mount, fails if the daemon
 * then has more descriptors than before, and asks that it ends with status 0 on SIGTERM.
 */
void fixture_setup(void);
/* Of a mount whose pipes are served by the daemon, unless a test asks for others. */
void fixture_setup_served(void);
void fixture_teardown(void);
/* The same without a mount: for tests that start their own. */
void fixture_namespaces(void);

/* Runs the suite: TAP on stdout, and the exit code for main. */
int suite_run(Suite *suite);
/* A test case of that name with the fixture above and a limit in seconds. */
TCase *suite_case(Suite *suite, const char *name, int seconds);
/* The same with the mount of fixture_setup_served. */
TCase *suite_case_served(Suite *suite, const char *name, int seconds);

/* Whether $IPCFS_TEST_OPTIONS turns that feature of the kernel (lib/host/feature.h) off. */
bool mount_is_without(const char *feature);
/*
 * Adds a test, with that _i, which needs these features: names with ':' between them. It is left
 * out where one of them is turned off, and a comment of TAP says so.
 */
void case_add_needing(TCase *tcase, const TTest *test, int i, const char *needs);

/* A further mount, on a new directory `name`; returns when it answers, or fails the test. */
void mount_start(struct mount *mount, const char *name, const char *options);
/* What to give to -o: $IPCFS_TEST_OPTIONS, and these, which win. Good until the next call. */
const char *mount_options(const char *options);
/* The daemon's wait status, once it has ended; -1 if it had to be killed after 10 seconds. */
int mount_wait(struct mount *mount);
/* Frees everybody who waits for the daemon. */
void mount_abort(const struct mount *mount);
/* Requests that the daemon has not answered yet. */
int mount_waiting(const struct mount *mount);
/* Returns once the daemon has handled all that was asked of it before this call. */
void mount_settle(const struct mount *mount);
/* Descriptors, and private memory in KiB, that the daemon holds once it has settled. */
int mount_descriptors(const struct mount *mount);
long mount_memory(const struct mount *mount);
/* True when $IPCFS is built with AddressSanitizer: its memory then says nothing. */
bool program_is_sanitized(void);

/* DIR/name of a mount, and of `ipc`; good until 16 later calls of either. */
const char *mount_path(const struct mount *mount, const char *name);
const char *ipc_path(const char *name);
/* A path on a tmpfs of the test's own, outside every mount. */
const char *scratch_path(const char *name);

/* Runs an expression that returns -1 and errno on failure, and fails the test on that. */
#define must(call)                                                               \
	({                                                                       \
		long must_ret = (long)(call);                                    \
		ck_assert_msg(must_ret != -1, "%s: %s", #call, strerror(errno)); \
		must_ret;                                                        \
	})

/* Runs an expression that has to fail with that errno. */
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
