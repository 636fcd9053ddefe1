/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether anybody still uses a System V object, for channel_ops::disuse.
 *
 * Such an object is not open: a process that uses it only knows its number. The kernel remembers
 * the last processes that did something with it, and who is attached or waits. A segment also knows
 * its maker. For queues and sets that is not enough, since others may have used them before the
 * last ones did, and will again: so no process of the owner may be old enough.
 */
#ifndef IPCFS_SYSV_DISUSE_H
#define IPCFS_SYSV_DISUSE_H

#include "lib/channel/channel.h"

int sysv_queue_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse);
int sysv_segment_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse);
/* A job if the set is large. */
int sysv_set_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse);

/* channel_ops::reap: removes this object, not another that has got its key since. */
int sysv_reap(struct channel *channel, const char *name, const struct timespec *before,
	      struct caller *caller);

#endif
