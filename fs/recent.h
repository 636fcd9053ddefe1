/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inodes given by the most recent LOOKUPs. For a jiffy the kernel trusts the attributes that
 * came with the answer, so that an open need not ask for them. If a name is removed meanwhile,
 * through another inode of the same object or by ctl, an open file would still show its link for
 * that long.
 */
#ifndef IPCFS_RECENT_H
#define IPCFS_RECENT_H

#include <stdint.h>

#define RECENT_MOST 64 /* in one jiffy; any others just stay stale until it is over */

struct host;
struct session;

struct recent {
	uint64_t nodeids[RECENT_MOST];
	unsigned next;
};

void recent_add(struct recent *recent, uint64_t nodeid);

/* For host_nodes: has the kernel ask again for the attributes of inodes that are open. */
void recent_invalidate(struct host *host);

#endif
