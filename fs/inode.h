/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a nodeid stands for.
 *
 * A stream gets a fresh inode for each LOOKUP: the kernel holds an inode's lock during a blocked
 * write, and with an inode of its own each opener's lock is its own. Only the thread that an inode
 * was made for may get it once more, while nothing has it open. One more inode stands for the
 * stream in lists of its directory: it is looked at and never opened, so its lock is always free.
 *
 * Where the kernel keeps state in an inode (pages, a FIFO's buffer, a working directory) the object
 * has one. Texts and links get one for each LOOKUP, as streams do.
 */
#ifndef IPCFS_INODE_H
#define IPCFS_INODE_H

#include <fuse_lowlevel.h>

#include "lib/base/slots.h"
#include "lib/channel/channel.h"
#include "lib/channel/space.h"

struct caller;
struct session;

/* What an inode is, in what would mean the same to another process. */
struct inode_record {
	fuse_ino_t nodeid; /* its id in session::inodes; the kernel calls the root FUSE_ROOT_ID */
	uint64_t n_lookups;
	struct selector selector;
	pid_t pid;          /* the thread whose LOOKUP it was made for; 0: unknown */
	unsigned n_handles; /* open */
	uint64_t told_size; /* the last that we gave the kernel */
	int backing_id;     /* by which the kernel knows channel::backing_fd; 0: not at all */
	unsigned n_backed;
	bool is_listed;  /* stands for a stream in lists */
	bool is_charged; /* to `uid`; between `older` and `newer` in struct user_names */
	uid_t uid;
	uint64_t older, newer; /* nodeids; 0: none */
};

struct inode {
	struct inode_record *record; /* in session::inodes */
	struct entry entry;          /* the directory or the object, a reference */
	struct file *file;           /* the newest that is open, the handle's; or NULL */
	char *link;                  /* shown as a symbolic link to this; else NULL */
};

/* Of a nodeid that the kernel sends. NULL: it is none, or no longer. */
struct inode *inode_from(const struct session *session, fuse_ino_t ino);

/* The directory that it is. -ESTALE: it is none of our inodes; -ENOTDIR */
int inode_space(const struct session *session, fuse_ino_t ino, struct space **ret_space);

/* Is it a FIFO or socket, which the kernel serves by itself? */
bool inode_is_node(const struct inode *inode);

/* What a LOOKUP came to. */
struct found {
	struct entry entry; /* a reference */
	struct selector selector;
};

/*
 * The inode for what was looked up or made, counted once more. Takes over the reference. A new one
 * is charged to the caller: -ENOBUFS, -ENOMEM.
 */
int inode_get(struct session *session, const struct found *found, const struct caller *caller,
	      struct inode **ret_inode);

/* The same for an object that is listed. What is_listed is not to be opened: -ESTALE. */
int inode_get_listed(struct session *session, const struct found *found,
		     const struct caller *caller, struct inode **ret_inode);

/*
 * Shows the inode as a link, if its object is one, or can be reached as `name` elsewhere and only
 * there be mapped. -ENOMEM.
 */
int inode_link(struct inode *inode, const char *name);

/* The kernel has forgotten `n` lookups of it. */
void inode_forget(struct session *session, struct inode *inode, uint64_t n);

/* Forgets them all. */
void inode_forget_all(struct session *session);

int inode_stat(struct inode *inode, struct stat *ret_attr);

/* How long, in seconds, the kernel may go by the attributes that it was told. */
double inode_attr_timeout(const struct inode *inode);

/* All that an answer to LOOKUP says. */
int inode_entry(struct inode *inode, struct fuse_entry_param *ret_entry);

/* All that a list says, whose reader will ask for it at once. */
int inode_entry_listed(struct inode *inode, struct fuse_entry_param *ret_entry);

#endif
