/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -o cluster=, cluster_creds=, cluster_ca= and cluster_timeout=.
 */
#ifndef IPCFS_OPTION_CLUSTER_H
#define IPCFS_OPTION_CLUSTER_H

#include "fs/options.h"
#include "lib/host/host.h"

/*
 * cluster=SERVER[,SERVER...], of which each is [nats://|tls://]HOST[:PORT]. Given again, it adds
 * servers. Fails with -1 after a line in the log, or with -ENOMEM.
 */
int option_cluster_take(struct options *options, const char *arg);
int option_cluster_take_timeout(struct options *options, const char *arg);

/*
 * Checks that the options can be followed: their paths are absolute. Fails with -EINVAL or -errno
 * after a line in the log.
 */
int option_cluster_check(const struct cluster_options *cluster);

/* Tells the host, which borrows the texts. */
void option_cluster_set(struct host *host, const struct cluster_options *cluster);

void option_cluster_fini(struct cluster_options *cluster);

#endif
