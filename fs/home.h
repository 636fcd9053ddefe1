/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The namespaces of a mount: which IPC namespace it shows, and from which namespaces it serves
 * callers.
 */
#ifndef IPCFS_HOME_H
#define IPCFS_HOME_H

#include "fs/options.h"
#include "lib/host/host.h"

/*
 * Notes the process's namespaces, then enters the IPC namespace that the mount shows. `fd` is where
 * its descriptor is noted: 0 for the first daemon; the next one enters what the former has noted,
 * as the process of -o ipcns= may be gone by then. Call it before host_init(). Fails with -ENOTSUP
 * after a line in the log.
 */
int home_enter(const struct options *options, int *fd, struct namespaces *ret_own);

/* Gives the host the namespaces that home_enter() has noted, and the one that it has entered. */
void home_settle(struct host *host, const struct options *options, const struct namespaces *own);

#endif
