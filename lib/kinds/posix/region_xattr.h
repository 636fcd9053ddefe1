/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended attributes of files in /dev/shm, by `fd` unless it is -1.
 */
#ifndef IPCFS_REGION_XATTR_H
#define IPCFS_REGION_XATTR_H

#include "lib/channel/kernel_names.h"
#include "lib/channel/xattr.h"

/* For channel_ops::get_acl. Never waits. */
ssize_t region_get_acl(struct named *named, int fd, void *data, size_t size);

/* What a caller of channel_ops::get_xattr asks for. */
struct region_xattr {
	const char *name; /* NULL: all names */
	struct iovec room;
};

/* For space_ops::inherits. */
bool region_inherits(const struct space *space);

/*
 * For channel_ops::get_xattr, as the caller. Never waits: reading takes no lock that someone could
 * keep.
 */
ssize_t region_get_xattr(struct named *named, int fd, const struct region_xattr *asked,
			 struct caller *caller);

/* For channel_ops::set_xattr. Takes the lock of the file, so it is a job. */
int region_set_xattr(struct named *named, int fd, const struct xattr *xattr, struct caller *caller);

#endif
