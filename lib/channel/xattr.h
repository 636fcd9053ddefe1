/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extended attributes of objects that are files of another filesystem: that filesystem keeps them,
 * and decides who may do what with them.
 *
 * The access control list (ACL) is one of the attributes, but special: the kernel asks for it
 * before each open, on behalf of a process that has no rights yet. So the ACL has a call of its
 * own, which requires no rights.
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

/* An attribute to set. */
struct xattr {
	const char *name;
	const void *value; /* NULL: remove it */
	size_t size;
	int flags; /* of setxattr(2) */
};

/* The ACL, as channel_ops::get_acl gives it. */
ssize_t channel_get_acl(struct channel *channel, void *data, size_t size);

/*
 * Gives the value of an attribute; with `name` NULL, the names of all, each with its NUL, the ACL's
 * among them. Returns the size; with a `room` of 0 bytes, does nothing else. Fails as getxattr(2)
 * and listxattr(2) do for the caller (-ENODATA, -ERANGE, -EACCES, …), or with -EOPNOTSUPP if the
 * object has no attributes.
 */
ssize_t channel_get_xattr(struct channel *channel, const char *name, const struct iovec *room,
			  struct caller *caller);

/* As setxattr(2) and removexattr(2) by the caller, also for the ACL. May be a job. */
int channel_set_xattr(struct channel *channel, const struct xattr *xattr, struct caller *caller);

#endif
