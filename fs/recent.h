/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inodes that a LOOKUP has told of last. The kernel goes by the attributes that came with it
 * for a jiffy, so that an open need not ask for them. Whoever removes a name meanwhile, through
 * another inode of the same object or by ctl, would leave an open file with a link for that long.
 */
#ifndef IPCFS_RECENT_H
#define IPCFS_RECENT_H

#include <stdint.h>

#define RECENT_MOST 64 /* of a jiffy, at most; what is beyond that is only stale for so long */

struct host;
struct session;

struct recent {
	uint64_t nodeids[RECENT_MOST];
	unsigned next;
};

void recent_add(struct recent *recent, uint64_t nodeid);

/* For host_nodes: has the kernel ask again for the attributes of those that are open. */
void recent_invalidate(struct host *host);

#endif
