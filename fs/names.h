/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names that each user has had looked up, and how the kernel is made to forget them.
 *
 * The kernel remembers a name, with its inode and ours, until it needs the memory. Users can invent
 * names without end, such as sockets/tcp/HOST/PORT. So each inode is charged to the user who looked
 * it up first, and when a user has nearly as many as allowed, the kernel is asked to drop the
 * oldest. It keeps those in use: open, a working directory, or a directory that it knows names in.
 * For those that it drops, it sends a FORGET.
 */
#ifndef IPCFS_NAMES_H
#define IPCFS_NAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uthash.h>

struct inode_record;
struct session;

/* The inodes that are charged to a user, in the order of their last LOOKUP. */
struct user_names {
	uid_t uid;
	uint64_t oldest, newest; /* nodeids; linked by inode_record::older and newer */
	UT_hash_handle hh;       /* session::names */
};

/*
 * Returns 0 if there is room for one more name, else -ENOBUFS. When room gets short, has the kernel
 * drop some.
 */
int names_check(struct session *session, uid_t uid);

/*
 * Charges the inode to the user. Fails with -ENOMEM, or with -ENOBUFS if too many names are in use
 * or not dropped yet.
 */
int names_add(struct session *session, struct inode_record *record, uid_t uid);

/*
 * Makes the inode its user's newest, because it has been looked up again. Like names_remove(), does
 * nothing if the inode was never added.
 */
void names_renew(struct session *session, struct inode_record *record);

void names_remove(struct session *session, struct inode_record *record);

#endif
