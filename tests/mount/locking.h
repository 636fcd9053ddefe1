/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of locks share: an object of each kind, a file on a tmpfs to compare them with,
 * and the three calls that lock. Every failure fails the test, unless it is returned as an errno.
 */
#ifndef TESTS_MOUNT_LOCKING_H
#define TESTS_MOUNT_LOCKING_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/types.h>

enum { NATIVE, REGION, FIRST_SERVED, N_TARGETS = 10 };
extern const struct target {
	const char *name, *command; /* command: the ctl line that makes it; NULL if ctl does not */
} targets[N_TARGETS];

enum { FLOCK, RECORD, OPEN_FILE, N_CALLS };

/* What a test runs with: a target, a descriptor of it, and which call locks it. */
struct locking {
	const struct target *target;
	int call;
	int fd;
	short type; /* the type of the lock that another process asks for */
};

int locking_open(const struct target *target);

/*
 * Makes target number i / N_CALLS and opens it, to be locked by call number i % N_CALLS.
 * locking_remove() removes all targets that ctl makes, because they keep descriptors in the daemon.
 */
struct locking locking_begin(int i);
void locking_remove(void);

/*
 * lock_record() is fcntl(2). locking_set() makes the test's locking call, on the whole object. Both
 * return 0 or an errno.
 */
int lock_record(int command, int fd, struct flock what);
int locking_set(const struct locking *locking, short type, bool waits);

/*
 * Lets another process open the object and try to lock it without waiting. Returns 0, or the errno
 * that the process got.
 */
int locking_try(struct locking *locking, short type);
/* What that process does: a body for child_start(). The type of the lock is locking->type. */
int locking_try_body(void *locking);

/*
 * Starts another process that waits for the lock until SIGUSR1 interrupts it. locking_end_waiter()
 * returns how the wait ended: 0 if the process got the lock, or an errno.
 */
pid_t locking_start_waiter(struct locking *locking, short type);
int locking_end_waiter(pid_t pid);

#endif
