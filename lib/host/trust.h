/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files that the daemon acts on with its own rights: only root and the daemon's user may be able to
 * change them.
 */
#ifndef IPCFS_TRUST_H
#define IPCFS_TRUST_H

#include <sys/stat.h>

enum trust {
	TRUST_FULL,
	TRUST_NO_OWNER, /* the file belongs to another user */
	TRUST_NO_MODE,  /* others can write it; for root, the group counts as others */
};

/* Whether the file with these attributes can be trusted. */
enum trust trust_of(const struct stat *attr);

/*
 * Whether all directories on the way to the file at this path can be trusted: whoever can write one
 * of them can put another file in its place, except in a sticky one. A path that is not absolute
 * cannot be trusted.
 */
enum trust trust_of_way(const char *path);

#endif
