/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FUSE_NOTIFY_PRUNE, for which libfuse has no call: has the kernel drop inodes that nobody uses.
 *
 * Unlike the notifications that name a directory's entry, it takes no lock of an inode or directory
 * (linux/fs/fuse/inode.c, fuse_try_prune_one_inode; linux/fs/dcache.c, d_prune_aliases). So the
 * loop may send it while a request that holds such a lock waits for the loop. It does take
 * fuse_conn::killsb for reading, as those notifications do. A thread that sent one of those could
 * hold killsb while it waits for a directory's lock; an unmount would then wait for killsb, and the
 * loop behind it. So a daemon that sends prunes sends none of those.
 */
#ifndef IPCFS_PRUNE_H
#define IPCFS_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

#define PRUNE_MOST 64 /* inodes in one notification, which takes the loop's time */

/* Whether the kernel knows this notification. */
bool prune_probe(int device_fd);

/*
 * Has the kernel drop those of the `n` inodes, up to PRUNE_MOST, that are not in use. For each that
 * it drops, it sends a FORGET.
 */
void prune_send(int device_fd, const uint64_t *nodeids, unsigned n);

#endif
