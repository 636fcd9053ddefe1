/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each user has had looked up, and how the kernel is made to forget it.
 *
 * The kernel remembers a name, with its inode and ours, until it needs the memory: for as long as a
 * user likes to invent names, of which sockets/tcp/HOST/PORT has no end. So each inode is charged
 * to the first who looked it up, and where those are nearly as many as one may have, the kernel
 * is asked to drop the oldest. It keeps what is in use: open, somebody's working directory, a
 * directory that it knows names in. What it drops comes back as FORGET.
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
	uint64_t oldest, newest; /* nodeids; inode_record::older and newer are between them */
	UT_hash_handle hh;       /* session::names */
};

/* Is there room for one more? Drops some if there soon is none. -ENOBUFS */
int names_check(struct session *session, uid_t uid);

/* Charges it to the user. -ENOBUFS: the user has too many, in use or not dropped yet; -ENOMEM */
int names_add(struct session *session, struct inode_record *record, uid_t uid);

/* Somebody has looked it up again. What was never added is left alone, here and below. */
void names_renew(struct session *session, struct inode_record *record);

void names_remove(struct session *session, struct inode_record *record);

#endif
