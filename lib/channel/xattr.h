/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended attributes of objects that are files of another filesystem: that one keeps them, and
 * says who may do what with them.
 *
 * The access control list is one of them, and more: the kernel asks for it before each open, on
 * behalf of whoever has no right yet. So there is a call of its own for it, which asks for none.
 */
#ifndef IPCFS_XATTR_H
#define IPCFS_XATTR_H

#include <sys/types.h>
#include <sys/uio.h>

struct caller;
struct channel;

#define XATTR_ACL "system.posix_acl_access"
/* The longest value, and the longest list of names, that the kernel lets through. */
#define XATTR_MOST 65536

/* An attribute to be set. */
struct xattr {
	const char *name;
	const void *value; /* NULL: it is to go */
	size_t size;
	int flags; /* of setxattr(2) */
};

/* The list, as channel_ops::get_acl has it. */
ssize_t channel_get_acl(struct channel *channel, void *data, size_t size);

/*
 * The value of an attribute, or with `name` NULL the names of all, each with its 0, the list's
 * among them. Returns the size; with a room of no bytes that alone. As getxattr(2) and listxattr(2)
 * by the caller: -ENODATA, -ERANGE, -EACCES, …; -EOPNOTSUPP: there are no such things here.
 */
ssize_t channel_get_xattr(struct channel *channel, const char *name, const struct iovec *room,
			  struct caller *caller);

/* As setxattr(2) and removexattr(2) by the caller; the list as well. May be a job. */
int channel_set_xattr(struct channel *channel, const struct xattr *xattr, struct caller *caller);

#endif
