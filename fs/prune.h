/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * FUSE_NOTIFY_PRUNE, which libfuse has no call for: has the kernel drop inodes that nobody uses.
 *
 * Unlike the notifications that name a directory's entry it takes no lock of an inode or directory
 * (linux/fs/fuse/inode.c, fuse_try_prune_one_inode; linux/fs/dcache.c, d_prune_aliases), so the
 * loop may send it while a request that holds such a lock waits for the loop. It does take
 * fuse_conn::killsb for reading, as the others do: those, from another thread, could hold that and
 * wait for a directory's lock while unmounting waits for it. So no other is sent where this is.
 */
#ifndef IPCFS_PRUNE_H
#define IPCFS_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

#define PRUNE_MOST 64 /* of one notification: it takes the loop's time */

/* Does the kernel know it? */
bool prune_probe(int device_fd);

/* Has it drop those of `n` inodes, up to PRUNE_MOST, that are not in use. FORGETs tell which. */
void prune_send(int device_fd, const uint64_t *nodeids, unsigned n);

#endif
