/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tests of locks share: an object of each kind, a file of a tmpfs beside them, and the three
 * calls that lock. Every failure fails the test, unless it is given as an errno.
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
	const char *name, *command; /* of ctl, that makes it; NULL: it is there */
} targets[N_TARGETS];

enum { FLOCK, RECORD, OPEN_FILE, N_CALLS };

/* What a test is run with: a target, open, and the call that locks it. */
struct locking {
	const struct target *target;
	int call;
	int fd;
	short type; /* of the lock that another process asks for */
};

int locking_open(const struct target *target);

/* Makes target i / N_CALLS, for call i % N_CALLS; and removes them all, which keep descriptors. */
struct locking locking_begin(int i);
void locking_remove(void);

/* fcntl(2), and whichever call it is, of the whole object: 0 or an errno. */
int lock_record(int command, int fd, struct flock what);
int locking_set(const struct locking *locking, short type, bool waits);

/* What another process comes to, which opens the object anew: 0 or an errno. */
int locking_try(struct locking *locking, short type);
/* The same for child_start(), of locking->type. */
int locking_try_body(void *locking);

/* Another process that waits for the lock, but not after SIGUSR1; and what came of it. */
pid_t locking_start_waiter(struct locking *locking, short type);
int locking_end_waiter(pid_t pid);

#endif
