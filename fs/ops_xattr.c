// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Extended attributes: those of the file behind an object, and access control lists.
 *
 * The kernel asks for an object's access control list when it checks a mode that grants something
 * to a group. A single ENOSYS would turn off all requests for attributes in the whole mount
 * (linux/fs/fuse/xattr.c), so that is never the answer.
 *
 * Directories have three attributes of their own, which show the options of the mount
 * (fs/in_force.h), how it is (fs/vitals.h) and its supervisor (fs/supervisor_replace.h).
 */
#include "fs/ops.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "fs/in_force.h"
#include "fs/inode.h"
#include "fs/reply.h"
#include "fs/session.h"
#include "fs/step.h"
#include "fs/supervisor_replace.h"
#include "fs/vitals.h"
#include "lib/channel/blank.h"
#include "lib/channel/xattr.h"

#define ACL_PREFIX "system.posix_acl_"

static bool is_list(const char *name)
{
	return strcmp(name, XATTR_ACL) == 0;
}

/*
 * Returns the object whose attributes are asked for. NULL for a directory, and for a link: a link
 * shows its target's attributes, for which the kernel asks the target.
 */
static struct channel *attributed(const struct inode *inode)
{
	return inode->link ? NULL : inode->entry.channel;
}

static ssize_t get_list(fuse_req_t req, const struct inode *inode, const struct iovec *room)
{
	const struct session *session = fuse_req_userdata(req);
	struct channel *channel = attributed(inode);

	if (features_is_off(&session->host.features, FEATURE_POSIX_ACL))
		return -EOPNOTSUPP;
	return channel ? channel_get_acl(channel, room->iov_base, room->iov_len) : -ENODATA;
}

/* Whether the caller may ask for the mount's options: it could remount. */
static bool may_see_options(const struct caller *caller)
{
	return caller->uid == 0 || caller->uid == geteuid();
}

static ssize_t give_text(const char *text, const struct iovec *room)
{
	size_t length = strlen(text);

	if (room->iov_base && length > room->iov_len)
		return -ERANGE;
	if (room->iov_base)
		memcpy(room->iov_base, text, length);
	return (ssize_t)length;
}

/* Gets an attribute that a directory has as part of the mount. Fails with -EOPNOTSUPP. */
static ssize_t get_own(const struct session *session, const char *name, const struct iovec *room,
		       struct caller *caller)
{
	char text[VITALS_SIZE];

	if (strcmp(name, VITALS_XATTR) == 0) {
		vitals_text(session, caller, text);
		return give_text(text, room);
	}
	if (strcmp(name, REPLACE_XATTR) == 0 && may_see_options(caller)) {
		replace_text(supervisor_area(session->host.state), text);
		return give_text(text, room);
	}
	if (strcmp(name, IN_FORCE_XATTR) == 0 && may_see_options(caller))
		return give_text(session->options->lasting ? session->options->lasting : "", room);
	return -EOPNOTSUPP;
}

/* Gets one attribute, or with `name` NULL all names. */
static ssize_t get(fuse_req_t req, const struct inode *inode, const char *name,
		   const struct iovec *room)
{
	const struct session *session = fuse_req_userdata(req);
	struct channel *channel = attributed(inode);
	struct caller caller = op_caller(req);
	ssize_t n = -EOPNOTSUPP;

	if (name && is_list(name))
		return get_list(req, inode, room);
	/* When the kernel asks for an ACL there must be an answer. */
	if (name && strncmp(name, ACL_PREFIX, strlen(ACL_PREFIX)) == 0)
		return -ENODATA;
	if (channel)
		n = channel_get_xattr(channel, name, room, &caller);
	else if (name && !inode->link)
		n = get_own(session, name, room, &caller);
	caller_fini(&caller);
	if (name || n != -EOPNOTSUPP)
		return n;
	return get_list(req, inode, &(struct iovec){0}) > 0 ? (ssize_t)sizeof(XATTR_ACL) : 0;
}

/* Answers with the bytes, or only with their number if the caller gave no room. */
static void get_and_reply(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	struct session *session = fuse_req_userdata(req);
	struct host *host = &session->host;
	struct inode *inode = op_inode(req, ino);
	ssize_t n;

	if (!inode)
		return;
	if (size > XATTR_MOST)
		size = XATTR_MOST;
	n = host_reserve(host, XATTR_MOST);
	if (n == 0)
		n = get(req, inode, name, &(struct iovec){size ? host->scratch : NULL, size});
	blank_used(host, size);
	if (n < 0)
		reply_result(req, (int)n);
	else if (size == 0)
		fuse_reply_xattr(req, (size_t)n);
	else if ((size_t)n > size)
		reply_result(req, -ERANGE);
	else
		reply_data(req, host->scratch, n);
}

void op_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	get_and_reply(req, ino, name, size);
}

void op_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	get_and_reply(req, ino, NULL, size);
}

static void take_setxattr(fuse_req_t req, const struct step *step, struct caller *caller)
{
	struct inode *inode = op_inode(req, step->ino);
	struct channel *channel = inode ? attributed(inode) : NULL;
	const struct xattr xattr = {step->new_name, step->data, step->size, (int)step->flags};
	int r = -EOPNOTSUPP;

	if (!inode)
		return;
	if (channel)
		r = channel_set_xattr(channel, &xattr, caller);
	if (!step_waits(req, &r, step, caller))
		reply_result(req, r);
}

void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
		 int flags)
{
	step_begin(req, &(struct step){.take = take_setxattr,
				       .ino = ino,
				       .new_name = name,
				       .data = value,
				       .size = size,
				       .flags = (unsigned)flags});
}

void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	step_begin(req, &(struct step){.take = take_setxattr, .ino = ino, .new_name = name});
}
