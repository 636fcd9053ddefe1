/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The directory info/: a mirror of all channels in which reading never consumes.
 *
 *     info/KIND/NAME/status  peers  peek  tap
 *     info/summary  inventory.json  metrics  graph.dot  index.html
 *     info/cluster/status    where there is a cluster
 *
 * It stores nothing. Every text is made when it is opened, and says no more than its reader could
 * find out by other means. The tap is no text but a stream (lib/info/info_tap.h).
 */
#ifndef IPCFS_INFO_H
#define IPCFS_INFO_H

#include "lib/channel/space.h"

/*
 * Makes the mirror of host::spaces. The caller owns the reference, and calls folder_clear() before
 * dropping the last one.
 */
int info_new(struct host *host, struct space **ret_space);

/* Called after that: ends what the mirror has started. */
void info_end(struct host *host);

#endif
