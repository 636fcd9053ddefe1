/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last part of an answer that leads to a FIFO or socket node. After that answer the kernel
 * opens the node without asking, so the node is made ready first (channel_ops::show).
 */
#ifndef IPCFS_SHOW_H
#define IPCFS_SHOW_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

struct inode;
struct session;
struct step;

/*
 * Threads that were told to look again. The kernel does so only once: if the name has gone in the
 * meantime, a second such answer would make open(2) fail.
 */
#define SHOW_TOLD_MOST 16
struct show_told {
	pid_t pid; /* 0: none */
	fuse_ino_t directory;
	uint32_t name; /* its hash */
};

/* Whether the sender of this request has just been told to look again. Forgets that it was. */
bool show_was_told(fuse_req_t req, const struct step *step);

/*
 * Turns a node that was just made, and that nobody knows of, into a regular file: for an open with
 * O_EXCL that also reads, and for mknod(2) of a regular file.
 */
int show_as_regular(struct inode *inode);

/*
 * Goes on with a step that has found or made `inode`, which is counted, and answers. A CREATE
 * (has_fi) can't be answered with a node. Without O_EXCL it is told to look again, and the kernel
 * then opens what it finds. With O_EXCL the second look would find that someone else was quicker;
 * so it gets a door, a regular file that leads into the object (channel_ops::door).
 */
void show_begin(fuse_req_t req, const struct step *step, struct inode *inode);

#endif
