/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last part of an answer that leads to a FIFO or socket node: from there on the kernel opens it
 * without a word, so it is made ready first (channel_ops::show).
 */
#ifndef IPCFS_SHOW_H
#define IPCFS_SHOW_H

#include <fuse_lowlevel.h>

struct inode;
struct step;

/*
 * Goes on with a step that has found or made `inode`, which is counted, and answers. A CREATE
 * (has_fi) can't be answered with a node. Without O_EXCL it is told to look again, and then the
 * kernel opens what it finds; with O_EXCL it would find that somebody was quicker, and gets a door.
 */
void show_begin(fuse_req_t req, const struct step *step, struct inode *inode);

#endif
