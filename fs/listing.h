/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An open directory: its entries as they were when reading began, ready for the kernel.
 *
 * All memory for entries is charged to the user who opened the directory, before it is allocated.
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

/*
 * What outlives the daemon. The entries are in a block of the state: whoever has read a part of
 * them goes on in the same list.
 */
struct listing_record {
	uint64_t fh;       /* its id in session::listings */
	fuse_ino_t nodeid; /* of its inode */
	uid_t uid;         /* the user who pays for it */
	int error;         /* listing::error */
	uint64_t opened;   /* the request that opened it: if that comes again, it is not open yet */
	uint64_t entries;  /* listing::entries, written last; 0: not made */
	uint64_t n_allocated, size, n_entries;
	uint64_t is_unread;
};

struct listing {
	struct listing_record *record; /* in session::listings */
	struct space *space;           /* the kernel keeps its inode while the directory is open */
	struct user_table *users;
	struct state *state; /* borrowed */
	size_t n_charged;
	bool is_made, is_cut; /* cut: memory ran out before all entries were in */
	bool is_unread;       /* made when the directory was opened, for its first reader */
	int error;            /* -errno for that first reader; or 0 */
	char *entries;        /* struct fuse_dirent, one after another; a block of the state */
	size_t size, n_allocated;
	size_t *starts; /* where each entry starts; the kernel's offset N is "after entry N" */
	size_t n_entries, n_starts;
	fuse_req_t req; /* the request for which the entries are being made */
};

/* Opens a directory. Fails with -ENOMEM or -ENFILE, or as inode_space() does. */
int listing_new(fuse_req_t req, fuse_ino_t ino, struct listing **ret_listing);
void listing_free(struct session *session, struct listing *listing);

/*
 * For the next daemon, when inodes are adopted: makes the open directories that the records tell
 * of. What can't be adopted is closed: its readers get -EBADF.
 */
void listings_adopt(struct session *session);

/*
 * Closes all directories that the kernel has left open. Call it when the mount no longer answers.
 */
void listing_free_all(struct session *session);

/*
 * Makes the entries, as they are now. Fails with -ENOBUFS if there is no memory for all of them, or
 * if they would take the user over the limit. May have to wait.
 */
int listing_make(struct listing *listing, fuse_req_t req, struct caller *caller);

/*
 * Writes into the record what the next daemon needs: call it when the entries are complete, and
 * when is_unread or `error` has changed.
 */
void listing_save(struct listing *listing);

/* Where entry `i` ends, in listing::entries. */
size_t listing_end(const struct listing *listing, size_t i);

#endif
