// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A region that was removed while it was open is found by its descriptor alone.
 */
#include "lib/kinds/posix/shm_record.h"

#include <errno.h>
#include <fcntl.h>

#include "lib/kinds/posix/region.h"

/* A word of object_record::words: the number of descriptors that are charged. */
enum { SHM_N_CHARGED = NAMED_WORDS };

void shm_save(struct channel *channel, struct object_record *record)
{
	named_save(named_from(channel), record);
	record->words[SHM_N_CHARGED] = channel->n_descriptors;
	record->fds[0] = channel->backing_fd;
}

/* Whether the descriptor is as the channel's service needs it. */
static bool is_usable(const struct channel *channel, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return false;
	if (channel->service == CHANNEL_BACKED)
		return flags & O_PATH;
	return !(flags & O_PATH) && (flags & O_ACCMODE) == O_RDWR;
}

int shm_adopt_region(struct space *space, struct object_record *record,
		     struct channel **ret_channel)
{
	int r = named_adopt(space, record, ret_channel);
	struct named *named = r == 0 ? named_from(*ret_channel) : NULL;
	int fd = record->fds[0];

	if (r < 0 || fd < 0)
		return r;
	if (!region_is(named, fd) || !is_usable(&named->channel, fd)) {
		channel_unref(&named->channel);
		return -EPROTO;
	}
	if (record->words[SHM_N_CHARGED])
		named_charge(named, record, 1);
	named->channel.backing_fd = fd;
	return 0;
}

int shm_adopt_file(struct file *file)
{
	return file->channel->backing_fd >= 0 ? 0 : -EPROTO;
}
