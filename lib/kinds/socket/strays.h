/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Socket files at which nobody listens any more, in the daemon's own directory: those of servers
 * whose daemon was killed. Removing a server removes its file.
 */
#ifndef IPCFS_STRAYS_H
#define IPCFS_STRAYS_H

#include "lib/channel/kind.h"

/* For struct kind, of Unix sockets. */
int strays_find(struct host *host, struct caller *caller, stray_fn *found, void *data);
int strays_remove(struct host *host, const char *name, const struct timespec *before,
		  struct caller *caller);

#endif
