/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The helper: the process that forks the watchers of scans (scanner.h says why), and the daemon's
 * end of it.
 */
#ifndef IPCFS_SCAN_HELPER_H
#define IPCFS_SCAN_HELPER_H

#include <sys/types.h>

struct scan_helper {
	int fd;    /* of a socket to it */
	pid_t pid; /* 0: there is none */
};

/* Fails as socketpair(2) and fork(2) do. */
int scan_helper_start(struct scan_helper *helper);
void scan_helper_end(struct scan_helper *helper);

/*
 * Has a new process run scan_watch(daemon, memory), with descriptors of its own. Replaces a helper
 * that is gone. -EAGAIN: the helper does not listen.
 */
int scan_helper_send(struct scan_helper *helper, int daemon, int memory);

#endif
