// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is the same for all kinds: an object that is open through the mount is in use.
 */
#include "lib/channel/disuse.h"

#include <errno.h>

#include "lib/channel/channel.h"
#include "lib/channel/journal.h"

struct timespec disuse_later(struct timespec a, struct timespec b)
{
	if (a.tv_sec != b.tv_sec)
		return a.tv_sec > b.tv_sec ? a : b;
	return a.tv_nsec > b.tv_nsec ? a : b;
}

struct timespec disuse_last(const struct stat *attr)
{
	return disuse_later(attr->st_atim, disuse_later(attr->st_mtim, attr->st_ctim));
}

int channel_disuse(struct channel *channel, const struct timespec *before, struct caller *caller,
		   struct disuse *ret_disuse)
{
	struct stat attr;
	int r = channel_stat(channel, &attr);

	*ret_disuse = (struct disuse){0};
	if (r < 0)
		return r;
	if (!channel->ops->disuse || channel->n_files || channel_has_waiters(channel) ||
	    channel->tap || !caller_owns(caller, attr.st_uid))
		return 0;
	ret_disuse->since = disuse_last(&attr);
	if (disuse_is_recent(&ret_disuse->since, before))
		return 0;
	return channel->ops->disuse(channel, caller, ret_disuse);
}

int channel_check_disuse(struct channel *channel, const struct timespec *before,
			 struct caller *caller)
{
	struct disuse disuse;
	int r = channel_disuse(channel, before, caller, &disuse);

	if (r < 0)
		return r;
	return disuse.why ? 0 : -EBUSY;
}

int channel_reap(struct channel *channel, const char *name, const struct timespec *before,
		 struct caller *caller)
{
	struct space *space = channel->space;

	journal_unnote(space->host); /* of what the same request has reaped before */
	if (!channel->ops->reap)
		return space_remove(space, name, caller);
	return space_note_removal(space, channel->ops->reap(channel, name, before, caller));
}
