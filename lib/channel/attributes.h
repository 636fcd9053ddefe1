/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owner, mode and times of an object that the daemon itself keeps, by the kernel's rules for files.
 */
#ifndef IPCFS_ATTRIBUTES_H
#define IPCFS_ATTRIBUTES_H

#include <sys/stat.h>

#include "lib/host/caller.h"

struct attributes {
	ino_t ino;
	mode_t mode; /* with the file type */
	uid_t uid;
	gid_t gid;
	struct timespec atime, mtime, ctime;
	struct timespec btime; /* when it was made */
};

/* Sets up the attributes of a new object made by the caller. */
void attributes_init(struct attributes *attributes, ino_t ino, mode_t mode, struct caller *caller);

void attributes_stat(const struct attributes *attributes, struct stat *ret_attr);

/*
 * Returns 0 if the caller may make these changes to an object whose attributes are `now`, by the
 * rules of setattr_prepare() (linux/fs/attr.c); else -EPERM or -EACCES.
 */
int attributes_check(const struct stat *now, const struct stat *attr, unsigned changes,
		     struct caller *caller);

/*
 * Sets the attributes that `changes` names (enum channel_change, without the size) to the values in
 * `attr`. Fails with -EPERM or -EACCES as chmod(2), chown(2) and utimensat(2) do, and then changes
 * nothing.
 */
int attributes_change(struct attributes *attributes, const struct stat *attr, unsigned changes,
		      struct caller *caller);

void attributes_touch(struct timespec *time); /* sets the time to now */
bool timespec_is_later(const struct timespec *a, const struct timespec *b); /* than `b` */

/*
 * Sets the times of a text whose content was made at `made` (NULL: now), and which has been there
 * since `since`. That is its ctime: tar(1) calls it an error if the ctime changes meanwhile.
 */
void attributes_set_times(struct stat *attr, const struct timespec *made,
			  const struct timespec *since);

/*
 * Sets the size, and the blocks that go with it: cp(1) takes a file with fewer blocks for sparse.
 */
void attributes_set_size(struct stat *attr, size_t size);
/* Shows the memory that waiting bytes take, in whole pages, as the blocks of a stream. */
void attributes_set_memory(struct stat *attr, size_t bytes);

#endif
