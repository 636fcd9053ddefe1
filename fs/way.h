/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names that lead to an inode from a directory that is always there.
 *
 * Texts and the directories of info/ are made for whoever looks them up, and no record tells of
 * them before they are open. The kernel may use such an inode again when the daemon that has made
 * it was killed: as a working directory, or for an open(2) that had got as far as the lookup. The
 * next daemon then finds the object again by its names, as a LOOKUP would.
 */
#ifndef IPCFS_WAY_H
#define IPCFS_WAY_H

#include "lib/channel/space.h"

struct inode;
struct inode_record;
struct session;

/* A block of the state. An object of the same name that has another number is another one. */
struct way {
	size_t size;    /* bytes of the block */
	uint64_t begin; /* space::ino of the directory where it begins */
	uint64_t ino;   /* of the object or directory that it leads to */
	char names[];   /* one after another, each with its end */
};

/*
 * Notes that the inode was found in a directory (a nodeid) under a name, if nothing else tells the
 * next daemon what it stands for. Without memory it is not noted.
 */
void way_note(struct session *session, struct inode *inode, uint64_t directory, const char *name);
/* Frees what was noted. */
void way_forget(struct session *session, struct inode_record *record);

/* For the next daemon: takes over what was noted. */
void way_adopt(struct session *session, struct inode_record *record);
/*
 * For the next daemon, once the objects are there: finds the object again. Gives a reference; none:
 * it is lost.
 */
void way_find(const struct session *session, const struct inode_record *record,
	      struct entry *ret_entry);

#endif
