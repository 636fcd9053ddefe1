/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last part of an answer that leads to a FIFO or socket node: from there on the kernel opens it
 * without a word, so it is made ready first (channel_ops::show).
 */
#ifndef IPCFS_SHOW_H
#define IPCFS_SHOW_H

#include <fuse_lowlevel.h>
#include <stdbool.h>

struct inode;
struct session;
struct step;

/*
 * Who has been told to look again. The kernel does so once: if the name has gone by then, the next
 * such answer would be an error of open(2).
 */
#define SHOW_TOLD_MOST 16
struct show_told {
	pid_t pid; /* 0: nobody */
	fuse_ino_t directory;
	uint32_t name; /* its hash */
};

/* Has who sends this CREATE just been told to look again? Forgets it. */
bool show_was_told(fuse_req_t req, const struct step *step);

/*
 * A node that is just made, and that nobody knows of, becomes a regular file: for an open with
 * O_EXCL that reads, too, and for mknod(2) of one.
 */
int show_as_regular(struct inode *inode);

/*
 * Goes on with a step that has found or made `inode`, which is counted, and answers. A CREATE
 * (has_fi) can't be answered with a node. Without O_EXCL it is told to look again, and then the
 * kernel opens what it finds; with O_EXCL it would find that somebody was quicker, and gets a door.
 */
void show_begin(fuse_req_t req, const struct step *step, struct inode *inode);

#endif
