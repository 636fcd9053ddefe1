/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A supervisor, in a process of its own, with daemons that only count, crash and wait. What they
 * have seen comes back in memory shared with the test.
 */
#ifndef IPCFS_TESTS_SUPERVISED_H
#define IPCFS_TESTS_SUPERVISED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

struct options;
struct state;

struct seen {
	_Atomic int n;        /* calls of serve() */
	_Atomic int n_next;   /* of these, with is_next */
	_Atomic int daemon;   /* the pid of the last one that listens */
	_Atomic int signal;   /* that a daemon got */
	_Atomic int poisoned; /* the first daemon for which the request was a poison */
	_Atomic int has_ended;
	int fd, state_fd;
	pid_t child;
};

/* Of the supervisor that was started last. */
extern struct seen *seen;

/* What a daemon does. */
typedef int serve_fn(const struct options *options, struct state *state, bool is_next);

/* For the daemon: notes a call of serve(), whose daemon can be followed. */
void see(struct state *state, bool is_next);

/* Starts a supervisor whose daemons run `serve`. */
pid_t start(serve_fn *serve, bool is_supervised);
void must_exit(pid_t pid, int expected);
/* No core is dumped. */
void must_die(pid_t pid, int expected);
/* Waits until the number is not 0. */
void wait_for(const _Atomic int *number);

#endif
