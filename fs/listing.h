/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An open directory: its entries as they were when reading began, ready for the kernel.
 *
 * Each entry is charged to who opened the directory before there is memory for it.
 */
#ifndef IPCFS_LISTING_H
#define IPCFS_LISTING_H

#include <fuse_lowlevel.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct caller;
struct session;
struct space;
struct user_table;

/* What an open directory is, in what would mean the same to another process. */
struct listing_record {
	uint64_t fh;       /* its id in session::listings */
	fuse_ino_t nodeid; /* of its inode */
	uid_t uid;         /* pays for it */
};

struct listing {
	struct listing_record *record; /* in session::listings */
	struct space *space;           /* the kernel keeps its inode for as long as this is open */
	struct user_table *users;
	size_t n_charged;
	bool is_made, is_cut; /* cut: there was no memory for all of it */
	bool is_unread;       /* made when it was opened, for the first to read it */
	int error;            /* which that one then gets */
	char *entries;        /* struct fuse_dirent one after the other */
	size_t size, n_allocated;
	size_t *starts; /* of each entry; the kernel's offset N is "after entry N" */
	size_t n_entries, n_starts;
	fuse_req_t req; /* while it is being made */
};

/* -ENOMEM, -ENFILE; those of inode_space(). */
int listing_new(fuse_req_t req, fuse_ino_t ino, struct listing **ret_listing);
void listing_free(struct session *session, struct listing *listing);

/* Closes the directories that the kernel has left open, once the mount answers no more. */
void listing_free_all(struct session *session);

/*
 * Makes the entries, as they are now. Without memory for all of them, or where that would be more
 * than a user may take: -ENOBUFS. May have to wait.
 */
int listing_make(struct listing *listing, fuse_req_t req, struct caller *caller);

/* Where entry `i` ends, in listing::entries. */
size_t listing_end(const struct listing *listing, size_t i);

#endif
