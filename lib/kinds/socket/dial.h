/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connects to an address as a caller: connect(2), and everything before it that may block, on a
 * thread.
 *
 * A dial calls done() once, on the loop, with its outcome. A dial that is no longer wanted is
 * dropped, and its thread may end later.
 */
#ifndef IPCFS_DIAL_H
#define IPCFS_DIAL_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/host/caller.h"
#include "lib/host/host.h"

struct dial;

/* What is dialled. */
struct dial_target {
	/*
	 * Makes a socket, non-blocking, and connects it. Returns 0 if *ret_fd is connected. N > 0:
	 * the kernel is still connecting it, until it is writable or has an error, and the first N
	 * addresses have been tried. Runs on the thread, as the caller, and may sleep; -EINTR ends
	 * it if the dial has been dropped.
	 */
	int (*connect)(const struct dial_target *target, int *ret_fd);
	bool walks;          /* the address is a path, walked from the caller's own root */
	const char *address; /* a path, a name, HOST/PORT */
	size_t size;         /* of the address, which may contain NULs */
	int type;            /* SOCK_*; 0: whatever is there */
	int n_tried;         /* addresses to skip, of a name that has several */
	bool takes_rights;   /* a Unix socket can't refuse descriptors; dial_new() sets it */
};

/* The receiver owns `fd`; `result` is what connect() returned. If that is -errno, fd is -1. */
typedef void dial_done_fn(void *data, int fd, int result);

/* Copies the target and the caller. On failure, as -ENOMEM or -ENOBUFS, done() is not called. */
int dial_new(struct host *host, struct caller *caller, const struct dial_target *target,
	     dial_done_fn *done, void *data, struct dial **ret_dial);

/* Drops a dial that is not done: done() will not be called. NULL: does nothing. */
void dial_drop(struct dial *dial);

/* dial_target::connect for a Unix socket: at a path, or with a name that begins with a NUL. */
int dial_unix(const struct dial_target *target, int *ret_fd);

/* The same for HOST/PORT, by name or number. -ENODATA: all its addresses have been tried. */
int dial_inet(const struct dial_target *target, int *ret_fd);

#endif
