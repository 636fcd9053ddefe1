/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every unit test stands on: a loop, a host, and its own IPC, mount and network namespaces. A
 * test meets no queue, region or port of the machine and leaves none behind, even when it is
 * killed.
 *
 * The teardown fails a test that leaves a descriptor open or anything charged to a user.
 */
#ifndef TESTS_UNIT_FIXTURE_H
#define TESTS_UNIT_FIXTURE_H

#include <check.h>
#include <errno.h>
#include <string.h>

#include "lib/channel/channel.h"

enum {
	STRANGER = 65534,
	/* A queue's default limits in a test's namespace. */
	QUEUE_MESSAGES = 4,
	QUEUE_MESSAGE_SIZE = 512,
};

extern struct loop *loop;
extern struct state *host_state; /* host.state */
extern struct host host;
/* The test's own process. */
extern struct caller root;
/* User and group STRANGER, without a process or supplementary groups. */
extern struct caller stranger;

/* Opens the kind's space of `host`. The teardown removes what is in it and releases it. */
struct space *fixture_open(const struct kind *kind);
/* After this, the teardown does so with `next` in place of `space`. */
void fixture_replace(const struct space *space, struct space *next);

/* After this the test is an unprivileged daemon, with user and group STRANGER. */
void fixture_drop_privileges(void);

/* Returns how many descriptors this process has open. */
int fixture_descriptors(void);

/* Lowers the limit of descriptors so that `n` more can be opened. */
void fixture_limit_descriptors(int n);
/* Restores the limit that fixture_limit_descriptors() has lowered. */
void fixture_unlimit_descriptors(void);

/* Adds a test case that uses the fixture. `tests` ends with NULL. */
TCase *suite_add(Suite *suite, const char *name, const TTest *const tests[]);
/* The same, with each test run for 0 ≤ _i < n. */
TCase *suite_add_loop(Suite *suite, const char *name, const TTest *const tests[], int n);

/* A test of what kinds have in common. */
struct kind_test {
	const TTest *test;
	unsigned needs; /* enum sample_need: what the test needs of a kind */
};

/*
 * Adds a test case for each kind in `kinds` whose objects are files that a user makes by path, with
 * the tests that fit the kind. In a test, _i is the kind's index in `kinds`. `tests` ends with
 * {NULL}. Prints which tests are left out, and why, as TAP comments. What the other kinds have in
 * common is tested in test_sockets.c.
 */
void suite_add_kinds(Suite *suite, const struct kind_test tests[]);

/* Runs the suite. Prints TAP to stdout, and returns main's exit code. */
int suite_run(Suite *suite);

const char *error_name(long error);

/* Evaluates a call that returns -errno on failure, and fails the test then. */
#define must(call)                                                                   \
	({                                                                           \
		long must_ret = (long)(call);                                        \
		ck_assert_msg(must_ret >= 0, "%s: %s", #call, error_name(must_ret)); \
		must_ret;                                                            \
	})

/* Evaluates a call that has to return -error. */
#define must_fail(call, error)                                                                     \
	do {                                                                                       \
		long must_ret = (long)(call);                                                      \
		ck_assert_msg(must_ret == -(error), "%s: %s, not %s", #call, error_name(must_ret), \
			      error_name(-(error)));                                               \
	} while (0)

/* Evaluates a system call, which has to succeed. */
#define must_call(call)                                                             \
	({                                                                          \
		long must_ret = (long)(call);                                       \
		ck_assert_msg(must_ret != -1, "%s: %s", #call, error_name(-errno)); \
		must_ret;                                                           \
	})

#endif
