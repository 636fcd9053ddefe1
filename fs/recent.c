// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * FUSE_NOTIFY_INVAL_INODE for attributes alone waits for nobody: it takes no lock of the inode or
 * of its pages (linux/fs/fuse/inode.c, fuse_reverse_inval_inode). So the loop may send it before it
 * has answered the removal that it is for.
 */
#include "fs/recent.h"

#include <fuse_lowlevel.h>

#include "fs/inode.h"
#include "fs/session.h"
#include "lib/base/cleanup.h"

void recent_add(struct recent *recent, uint64_t nodeid)
{
	recent->nodeids[recent->next++ % RECENT_MOST] = nodeid;
}

/* Whether the inode is open, or may be: the daemon does not learn whether a FIFO is open. */
static bool is_in_use(const struct inode *inode)
{
	return inode->record->n_handles > 0 || inode_is_node(inode);
}

void recent_invalidate(struct host *host)
{
	struct session *session = CONTAINER_OF(host, struct session, host);
	uint64_t *nodeids = session->recent.nodeids;

	for (unsigned i = 0; i < RECENT_MOST; i++) {
		struct inode *inode = nodeids[i] ? inode_from(session, nodeids[i]) : NULL;

		if (!inode || !is_in_use(inode))
			continue;
		fuse_lowlevel_notify_inval_inode(session->fuse, nodeids[i], -1, 0);
		nodeids[i] = 0;
	}
}
