/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other processes, which end with the test. A peer only exists, so that the daemon can look at it;
 * peer_run() runs a function as another user.
 */
#ifndef TESTS_UNIT_PEER_H
#define TESTS_UNIT_PEER_H

#include <sys/types.h>

struct peer {
	uid_t uid; /* the user and the group have the same number */
	int n_groups;
	gid_t groups[4];
	mode_t umask;
	long queue_limit; /* RLIMIT_MSGQUEUE, bytes; 0: unchanged */
	int unshares;     /* CLONE_NEW*: namespaces of its own */
};

/* Starts a process, and returns when it has become what `peer` describes. */
pid_t peer_start(const struct peer *peer);
void peer_stop(pid_t pid);

/*
 * Calls run(data) in a process that is the user in every respect. Returns the result of run(),
 * which must be 0 to 255.
 */
int peer_run(uid_t uid, int (*run)(void *data), void *data);

#endif
