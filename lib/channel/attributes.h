/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owner, mode and times of an object that the daemon itself keeps, under the rules that the kernel
 * has for files.
 */
#ifndef IPCFS_ATTRIBUTES_H
#define IPCFS_ATTRIBUTES_H

#include <sys/stat.h>

#include "lib/host/caller.h"

struct attributes {
	ino_t ino;
	mode_t mode; /* with the type */
	uid_t uid;
	gid_t gid;
	struct timespec atime, mtime, ctime;
	struct timespec btime; /* when it was made */
};

/* A new object of the caller's. */
void attributes_init(struct attributes *attributes, ino_t ino, mode_t mode, struct caller *caller);

void attributes_stat(const struct attributes *attributes, struct stat *ret_attr);

/*
 * May the caller make such changes to what is `now`? As setattr_prepare() has it (linux/fs/attr.c).
 */
int attributes_check(const struct stat *now, const struct stat *attr, unsigned changes,
		     struct caller *caller);

/*
 * Changes what `changes` (enum channel_change, without the size) names to what `attr` says.
 * -EPERM or -EACCES as chmod(2), chown(2) and utimensat(2), and nothing is changed.
 */
int attributes_change(struct attributes *attributes, const struct stat *attr, unsigned changes,
		      struct caller *caller);

void attributes_touch(struct timespec *time); /* sets it to the present */

/* Sets the size, and the blocks that belong to it: cp(1) takes what has fewer for sparse. */
void attributes_set_size(struct stat *attr, size_t size);

#endif
