/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inodes given by the most recent LOOKUPs. For a jiffy the kernel trusts the attributes that
 * came with the answer, so that an open need not ask for them. If a name is removed meanwhile,
 * through another inode of the same object or by ctl, fstat(2) of an open file would still count
 * that link until the jiffy is over.
 */
#ifndef IPCFS_RECENT_H
#define IPCFS_RECENT_H

#include <stdint.h>

#define RECENT_MOST 64 /* in one jiffy; the attributes of any others stay stale until it is over */

struct host;
struct session;

struct recent {
	uint64_t nodeids[RECENT_MOST];
	unsigned next;
};

void recent_add(struct recent *recent, uint64_t nodeid);

/*
 * As host_nodes::unnamed: has the kernel ask again for the attributes of recent inodes that are
 * open.
 */
void recent_invalidate(struct host *host);

#endif
