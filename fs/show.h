/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last step before an answer that gives the kernel a FIFO or socket node. After that answer the
 * kernel opens the node without asking, so the node is made ready first (channel_ops::show).
 */
#ifndef IPCFS_SHOW_H
#define IPCFS_SHOW_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

struct inode;
struct session;
struct step;

/*
 * Threads that were told to look again, by ESTALE. The kernel looks again only once: if the name
 * has gone in the meantime, a second such answer would make open(2) fail.
 */
#define SHOW_TOLD_MOST 16
struct show_told {
	pid_t pid; /* 0: none */
	fuse_ino_t directory;
	uint32_t name; /* its hash */
};

/* Whether the sender of this request has just been told to look again. Forgets that it has been. */
bool show_was_told(fuse_req_t req, const struct step *step);

/*
 * Turns a node that was just made, and that nobody knows of, into a regular file: for an open with
 * O_EXCL that also reads, and for mknod(2) of a regular file.
 */
int show_as_regular(struct inode *inode);

/*
 * Continues a step that has found or made `inode`, a node whose lookup is counted, and answers. A
 * CREATE (has_fi) can't be answered with a node. Without O_EXCL the kernel is told to look again,
 * and then opens what it finds. With O_EXCL it would then find that the name exists, and refuse; so
 * a door is opened for the CREATE, a regular file that leads into the object (channel_ops::door).
 */
void show_begin(fuse_req_t req, const struct step *step, struct inode *inode);

#endif
