/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connecting to an address, as a caller: connect(2) with all that may block before it, on a thread.
 *
 * A dial is begun, and done() is told once, on the loop, what it came to; whoever no longer wants
 * it drops it, and it then ends in its own time.
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
	 * Makes a socket and connects it: 0, and *ret_fd is connected and non-blocking. N > 0: it
	 * will be when it can be written to, or has an error; then the N first addresses have been
	 * tried. On the thread, as the caller; may sleep; -EINTR ends it if the dial is dropped.
	 */
	int (*connect)(const struct dial_target *target, int *ret_fd);
	bool walks;          /* the address is a path, from the caller's own root */
	const char *address; /* a path, a name, HOST/PORT */
	size_t size;         /* of the address, which may have NULs in it */
	int type;            /* SOCK_*; 0: whatever is there */
	int n_tried;         /* addresses to pass over, of a name that has several */
	bool takes_rights;   /* a Unix socket can't refuse descriptors; dial_new() sets it */
};

/* `fd` is the receiver's, and `result` as connect gave it; or that is -errno and there is none. */
typedef void dial_done_fn(void *data, int fd, int result);

/* Copies the target and the caller. -ENOMEM, -ENOBUFS: done() is not called. */
int dial_new(struct host *host, struct caller *caller, const struct dial_target *target,
	     dial_done_fn *done, void *data, struct dial **ret_dial);

/* done() is not called any more; for a dial that is not done. NULL is nothing. */
void dial_drop(struct dial *dial);

/* dial_target::connect: to the Unix socket at a path, or with a name that begins with a NUL. */
int dial_unix(const struct dial_target *target, int *ret_fd);

/* To HOST/PORT, by name or number. -ENODATA: all its addresses have been tried. */
int dial_inet(const struct dial_target *target, int *ret_fd);

#endif
