/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A supervised mount whose daemon is killed, and calls that wait meanwhile. Every failure fails the
 * test, and so does a wait of more than 20 seconds.
 */
#ifndef TESTS_MOUNT_TAKEOVER_H
#define TESTS_MOUNT_TAKEOVER_H

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "tests/mount/fixture.h"

/* The kernel feature that it takes to go on with a mount, for case_add_needing(). */
#define TAKEOVER_NEEDS "resend"

/* A test case on a mount with a supervisor: ipc.daemon is the supervisor. */
TCase *takeover_case(Suite *suite, const char *name, int seconds);

/* The daemon of a supervised mount, or 0 while there is none. */
pid_t takeover_daemon(const struct mount *mount);
/* Kills the daemon with SIGKILL. Returns when the next one answers. */
void takeover_kill(void);

/* A thread in one call of read(2), write(2) or open(2). */
struct call {
	pthread_t thread;
	_Atomic pid_t tid;
	enum { CALL_READ, CALL_WRITE, CALL_OPEN } call;
	int fd;    /* CALL_OPEN: the flags */
	int error; /* if the result is -1 */
	const char *path;
	size_t size;
	char buf[8192];
	ssize_t result;
};

/* Start a thread in the call, and return when it waits there and the daemon knows. */
void call_read(struct call *call, int fd);
void call_write(struct call *call, int fd, const char *text);
void call_open(struct call *call, const char *name, int flags);
/* Sends SIGUSR1, which interrupts the call. */
void call_interrupt(const struct call *call);
/* Whether the call is still waiting, once the daemon has handled all that came before. */
bool call_waits(const struct call *call);
/* Waits for the call to end. */
void call_end(struct call *call);
/* Also expects that the call gave these bytes, that result, or that errno. */
void call_end_text(struct call *call, const char *text);
void call_end_result(struct call *call, ssize_t result);
void call_end_error(struct call *call, int error);

#endif
