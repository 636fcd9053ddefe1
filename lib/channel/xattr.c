// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kind without these calls has no attributes: -EOPNOTSUPP, or -ENODATA for the ACL.
 */
#include "lib/channel/xattr.h"

#include <errno.h>

#include "lib/channel/channel.h"

ssize_t channel_get_acl(struct channel *channel, void *data, size_t size)
{
	return channel->ops->get_acl ? channel->ops->get_acl(channel, data, size) : -ENODATA;
}

ssize_t channel_get_xattr(struct channel *channel, const char *name, const struct iovec *room,
			  struct caller *caller)
{
	int r = channel->ops->get_xattr ? space_check_home(channel->space, caller) : -EOPNOTSUPP;

	return r < 0 ? r : channel->ops->get_xattr(channel, name, room, caller);
}

int channel_set_xattr(struct channel *channel, const struct xattr *xattr, struct caller *caller)
{
	int r = channel->ops->set_xattr ? space_check_home(channel->space, caller) : -EOPNOTSUPP;

	return r < 0 ? r : channel->ops->set_xattr(channel, xattr, caller);
}
