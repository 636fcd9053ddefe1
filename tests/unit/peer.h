/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other processes: one that only exists, to be looked at, and one that runs something as another
 * user. They end with the test.
 */
#ifndef TESTS_UNIT_PEER_H
#define TESTS_UNIT_PEER_H

#include <sys/types.h>

struct peer {
	uid_t uid; /* its group has the same number */
	int n_groups;
	gid_t groups[4];
	mode_t umask;
	long queue_limit; /* RLIMIT_MSGQUEUE, bytes; 0: unchanged */
	int unshares;     /* CLONE_NEW*: namespaces of its own */
};

/* Returns once the process is as `peer` says. */
pid_t peer_start(const struct peer *peer);
void peer_stop(pid_t pid);

/* Calls run() in a process that is that user in every respect. Returns its result, 0 to 255. */
int peer_run(uid_t uid, int (*run)(void *data), void *data);

#endif
