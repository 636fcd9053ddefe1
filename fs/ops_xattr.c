// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Extended attributes: there is one, the access control list of what has such a list.
 *
 * The kernel asks for it when it checks a mode that grants something to a group. ENOSYS, once,
 * would turn the question off for the whole mount, and lists with it (linux/fs/fuse/xattr.c): that
 * is the answer only where the mount has none. Then the kernel saves itself another question, too:
 * for a file's capabilities, before each write.
 */
#include "fs/ops.h"

#include <errno.h>
#include <string.h>
#include <sys/xattr.h>

#include "fs/inode.h"
#include "fs/reply.h"
#include "fs/session.h"
#include "fs/step.h"

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_PREFIX "system.posix_acl_"
/* The kernel refuses more as well (linux/fs/fuse/acl.c). */
#define ACL_MOST HOST_PAGE

static bool is_list(const char *name)
{
	return strcmp(name, ACL_ACCESS) == 0;
}

static ssize_t get_list(const struct inode *inode, void *data, size_t size)
{
	/* A link's is its target's, which the kernel asks for itself. */
	if (!inode->entry.channel || inode->link)
		return -ENODATA;
	return channel_get_acl(inode->entry.channel, data, size);
}

/* Answers with `n` bytes, or with their number alone where no room was given. */
static void reply_value(fuse_req_t req, const char *value, ssize_t n, size_t size)
{
	if (n < 0)
		reply_result(req, (int)n);
	else if (size == 0)
		fuse_reply_xattr(req, (size_t)n);
	else if ((size_t)n > size)
		reply_result(req, -ERANGE);
	else
		reply_data(req, value, n);
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct session *session = fuse_req_userdata(req);
	struct inode *inode;
	char value[ACL_MOST];
	ssize_t n;

	if (features_is_off(&session->host.features, FEATURE_POSIX_ACL)) {
		reply_result(req, -ENOSYS);
		return;
	}
	/*
	 * Where the kernel asks for a list there must be an answer. ls(1) asks each file for more,
	 * and no longer once it has heard that there is no such thing here.
	 */
	n = strncmp(name, ACL_PREFIX, strlen(ACL_PREFIX)) == 0 ? -ENODATA : -EOPNOTSUPP;
	if (is_list(name)) {
		inode = op_inode(req, ino);
		if (!inode)
			return;
		n = get_list(inode, value, size < sizeof(value) ? size : sizeof(value));
	}
	reply_value(req, value, n, size);
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	struct inode *inode = op_inode(req, ino);

	if (!inode)
		return;
	reply_value(req, ACL_ACCESS, get_list(inode, NULL, 0) > 0 ? sizeof(ACL_ACCESS) : 0, size);
}

static void take_setxattr(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct inode *inode = op_inode(req, step->ino);
	int r = -EOPNOTSUPP;

	if (!inode)
		return;
	if (inode->entry.channel)
		r = channel_set_acl(inode->entry.channel, NULL, step->data, step->size, caller);
	if (!step_waits(req, &r, step, caller))
		reply_result(req, r);
}

/* Is there a list already? What setxattr(2) may ask for. */
static int check_flags(const struct inode *inode, int flags)
{
	bool is_there = flags && get_list(inode, NULL, 0) > 0;

	if ((flags & XATTR_CREATE) && is_there)
		return -EEXIST;
	return (flags & XATTR_REPLACE) && !is_there ? -ENODATA : 0;
}

void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
		 int flags)
{
	struct inode *inode = op_inode(req, ino);
	int r = is_list(name) ? 0 : -EOPNOTSUPP;

	if (!inode)
		return;
	if (r == 0 && size > ACL_MOST)
		r = -E2BIG;
	if (r == 0)
		r = check_flags(inode, flags);
	if (r < 0)
		reply_result(req, r);
	else
		step_begin(req,
			   &(struct step){
				   .take = take_setxattr, .ino = ino, .data = value, .size = size});
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	if (is_list(name))
		step_begin(req, &(struct step){.take = take_setxattr, .ino = ino});
	else
		reply_result(req, -EOPNOTSUPP);
}
