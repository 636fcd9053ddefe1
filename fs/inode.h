/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The object or directory behind a nodeid.
 *
 * A stream gets a fresh inode for each LOOKUP. The kernel holds an inode's lock during a blocked
 * write, so openers of one inode would block each other. An inode is given again only to the thread
 * that it was made for, and only while nothing has it open. Another inode stands for the stream in
 * listings of its directory: it is looked at but never opened, so its lock is always free.
 *
 * If the kernel keeps state in an inode (pages, a FIFO's buffer, a working directory), the object
 * has only one. Texts and links get one for each LOOKUP, as streams do.
 */
#ifndef IPCFS_INODE_H
#define IPCFS_INODE_H

#include <fuse_lowlevel.h>

#include "lib/base/slots.h"
#include "lib/channel/channel.h"
#include "lib/channel/space.h"

struct caller;
struct session;

/* The part of an inode that has no pointers, and would be valid in another process, too. */
struct inode_record {
	fuse_ino_t nodeid; /* its id in session::inodes; the kernel calls the root FUSE_ROOT_ID */
	uint64_t n_lookups;
	/*
	 * What it stands for: a channel's id in host::objects, or with `is_directory` the number of
	 * a directory that is always there (space::ino). Without that, `way` leads to it.
	 */
	uint64_t object;
	uint64_t way;         /* a block of the state (fs/way.h); 0: none */
	uint64_t looked;      /* the request that was counted last in n_lookups */
	unsigned long number; /* selector::value, if has_number */
	pid_t pid;            /* the thread whose LOOKUP it was made for; 0: unknown */
	unsigned n_handles;   /* open handles */
	uint64_t told_size;   /* the last size that we gave the kernel */
	int backing_id;       /* the kernel's number for channel::backing_fd; 0: none */
	unsigned n_backed;
	bool is_directory;
	bool has_number;
	bool is_listed;  /* stands for a stream in lists */
	bool is_charged; /* to `uid`; linked by `older` and `newer` into struct user_names */
	uid_t uid;
	uint64_t older, newer; /* nodeids; 0: none */
};

struct inode {
	struct inode_record *record; /* in session::inodes */
	struct entry entry;          /* the directory or the object, a reference */
	struct file *file;           /* the newest open file, owned by its handle; or NULL */
	char *link;                  /* if it is shown as a symbolic link, the target; else NULL */
};

/* Returns the inode of a nodeid that the kernel sent; NULL: there is none, or no longer. */
struct inode *inode_from(const struct session *session, fuse_ino_t ino);

/*
 * Gives the directory that `ino` stands for. Fails with -ESTALE if `ino` is not one of our inodes,
 * or with -ENOTDIR.
 */
int inode_space(const struct session *session, fuse_ino_t ino, struct space **ret_space);

/* Whether the inode is a FIFO or socket, which the kernel serves by itself. */
bool inode_is_node(const struct inode *inode);

/* The result of a LOOKUP. */
struct found {
	struct entry entry; /* a reference */
	struct selector selector;
};

/*
 * Gives the inode for an object that was looked up or made, and counts one more lookup of it. Takes
 * over the reference in `found`. A new inode is charged to the caller. Fails with -ENOBUFS or
 * -ENOMEM.
 */
int inode_get(struct session *session, const struct found *found, const struct caller *caller,
	      struct inode **ret_inode);

/* The same for an entry of a listing. Opening an inode that is_listed fails with -ESTALE. */
int inode_get_listed(struct session *session, const struct found *found,
		     const struct caller *caller, struct inode **ret_inode);

/*
 * Makes the inode show as a symbolic link if its object is one, or if the daemon serves the object
 * and native programs have it at space::link_dir/`name`, where alone it can be mapped. Otherwise
 * does nothing. Fails with -ENOMEM.
 */
int inode_link(struct inode *inode, const char *name);

/*
 * Takes `n` off the count of lookups, because the kernel has forgotten them. Frees the inode at
 * zero.
 */
void inode_forget(struct session *session, struct inode *inode, uint64_t n);

/*
 * For the next daemon: makes the inodes that the records tell of, once the objects are there. Those
 * that can't be made are lost: the kernel is told -ESTALE, looks their names up again, and forgets
 * them in the end. Fails if one can't be made that takeover_may_lose() keeps.
 */
int inodes_adopt(struct session *session);

/* As inode_forget(), for an inode that is lost. */
void inode_forget_lost(struct session *session, fuse_ino_t ino, uint64_t n);

/* Frees all inodes. */
void inode_forget_all(struct session *session);

int inode_stat(struct inode *inode, struct stat *ret_attr);

/* Where an object or directory remembers its one inode, or the newest of many. */
void **inode_place(const struct entry *entry, bool is_listed);

/*
 * Whether an inode is charged to a user. Directories that are always there are not: they are few,
 * and everybody passes through them.
 */
bool inode_is_charged(const struct entry *entry);

/* How long the kernel may trust the attributes that it was given, in seconds. */
double inode_attr_timeout(const struct inode *inode);

/* Fills in an answer to LOOKUP. */
int inode_entry(struct inode *inode, struct fuse_entry_param *ret_entry);

/* Fills in an entry of a list whose reader will ask for the same attributes at once. */
int inode_entry_listed(struct inode *inode, struct fuse_entry_param *ret_entry);

#endif
