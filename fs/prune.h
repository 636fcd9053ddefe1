/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FUSE_NOTIFY_PRUNE, for which libfuse has no call: has the kernel drop inodes that nobody uses.
 *
 * Unlike the notifications that name a directory's entry, it takes no lock of an inode or directory
 * (linux/fs/fuse/inode.c, fuse_try_prune_one_inode; linux/fs/dcache.c, d_prune_aliases). So the
 * loop may send it while a request that holds such a lock waits for the loop. It does take
 * fuse_conn::killsb for reading, as they do. Sent from another thread, they could hold killsb and
 * wait for a directory's lock while an unmount waits for killsb. So wherever this one is sent, none
 * of those are.
 */
#ifndef IPCFS_PRUNE_H
#define IPCFS_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

#define PRUNE_MOST 64 /* inodes in one notification, which takes the loop's time */

/* Whether the kernel knows this notification. */
bool prune_probe(int device_fd);

/*
 * Has the kernel drop those of `n` inodes, up to PRUNE_MOST, that are not in use. FORGETs say
 * which.
 */
void prune_send(int device_fd, const uint64_t *nodeids, unsigned n);

#endif
