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
	const char *name, *command; /* for ctl, makes it; NULL if it exists anyway */
} targets[N_TARGETS];

enum { FLOCK, RECORD, OPEN_FILE, N_CALLS };

/* What a test runs with: a target, a descriptor of it, and the call that locks it. */
struct locking {
	const struct target *target;
	int call;
	int fd;
	short type; /* of the lock that another process asks for */
};

int locking_open(const struct target *target);

/*
 * Makes target i / N_CALLS, for call i % N_CALLS. locking_remove() removes all targets, because
 * they keep descriptors.
 */
struct locking locking_begin(int i);
void locking_remove(void);

/* fcntl(2), and the test's own locking call on the whole object. Both return 0 or an errno. */
int lock_record(int command, int fd, struct flock what);
int locking_set(const struct locking *locking, short type, bool waits);

/*
 * Has another process open the object for itself and try for the lock. Returns 0 or the errno it
 * got.
 */
int locking_try(struct locking *locking, short type);
/* The same as a body for child_start(). The lock type is locking->type. */
int locking_try_body(void *locking);

/*
 * Starts another process that waits for the lock until SIGUSR1 interrupts it. locking_end_waiter()
 * returns what came of it: 0 or an errno.
 */
pid_t locking_start_waiter(struct locking *locking, short type);
int locking_end_waiter(pid_t pid);

#endif
