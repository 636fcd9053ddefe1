/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that forks those who look for peers (scanner.h says why), and the daemon's end of it.
 */
#ifndef IPCFS_SCAN_HELPER_H
#define IPCFS_SCAN_HELPER_H

#include <sys/types.h>

struct scan_helper {
	int fd;    /* of a socket to it */
	pid_t pid; /* 0: there is none */
};

/* -errno of socketpair(2), fork(2) */
int scan_helper_start(struct scan_helper *helper);
void scan_helper_end(struct scan_helper *helper);

/*
 * Has a process run scan_watch(daemon, memory), with descriptors of its own. A helper that is gone
 * is replaced. -EAGAIN: it does not listen.
 */
int scan_helper_send(struct scan_helper *helper, int daemon, int memory);

#endif
