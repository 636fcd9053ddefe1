/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The namespaces of a mount: which one of IPC it shows, and whose callers it serves.
 */
#ifndef IPCFS_HOME_H
#define IPCFS_HOME_H

#include "fs/options.h"
#include "lib/host/host.h"

/*
 * Before there is a host: enters the namespace that the mount shows, and notes which one the
 * process was in. -ENOTSUP after a line in the log.
 */
int home_enter(const struct options *options, struct namespaces *ret_own);

/* Lets the host know what home_enter() has noted. */
void home_settle(struct host *host, const struct options *options, const struct namespaces *own);

#endif
