/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The namespaces of a mount: which IPC namespace it shows, and whose callers it serves.
 */
#ifndef IPCFS_HOME_H
#define IPCFS_HOME_H

#include "fs/options.h"
#include "lib/host/host.h"

/*
 * Before there is a host: enters the IPC namespace that the mount shows, and notes which one the
 * process was in. Fails with -ENOTSUP after a line in the log.
 */
int home_enter(const struct options *options, struct namespaces *ret_own);

/* Hands the host what home_enter() has noted. */
void home_settle(struct host *host, const struct options *options, const struct namespaces *own);

#endif
