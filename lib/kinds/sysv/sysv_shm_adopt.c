// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What outlives the daemon of a segment.
 *
 * The descriptor of its file does, and while that is open, so do the bytes of a segment that has
 * been removed. An attachment does not. So a removed segment that is used through its attachment
 * (a segment of huge pages, or any where files can't be handed to the kernel) is lost with the
 * daemon, unless other processes are attached.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/channel/record.h"
#include "lib/kinds/sysv/sysv_shm_birth.h"
#include "lib/kinds/sysv/sysv_shm_data.h"

void sysv_segment_save(struct channel *channel, struct object_record *record)
{
	const struct sysv_segment *segment = sysv_segment_from(channel);

	if (!sysv_segment_is_born(segment)) {
		sysv_segment_save_name(segment, record);
		return;
	}
	record->words[SEGMENT_OPENER] = channel->descriptors_uid;
	STATE_ORDER();
	record->fds[0] = channel->backing_fd;
	sysv_save(channel, record);
}

/* Whether this is a descriptor of the segment's file, as sysv_shm_open() makes it. */
static bool is_file_of(const struct sysv_segment *segment, int fd)
{
	struct stat attr;

	return fd >= 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR && fstat(fd, &attr) == 0 &&
	       S_ISREG(attr.st_mode) && attr.st_ino == (ino_t)segment->sysv.id &&
	       attr.st_size == (off_t)segment->size;
}

int sysv_segment_adopt(struct space *space, struct object_record *record,
		       struct channel **ret_channel)
{
	struct sysv_segment *segment;
	int r;

	if (!sysv_is_saved(record))
		return sysv_segment_adopt_name(space, record, ret_channel);
	r = sysv_adopt(space, record, ret_channel);
	if (r < 0)
		return r;
	segment = sysv_segment_from(*ret_channel);
	segment->size = (size_t)segment->sysv.identity.size;
	if (is_file_of(segment, record->fds[0]) &&
	    channel_charge_descriptors(*ret_channel, (uid_t)record->words[SEGMENT_OPENER], 1) == 0)
		(*ret_channel)->backing_fd = record->fds[0];
	else
		record->fds[0] = -1;
	return 0;
}

int sysv_segment_adopt_file(struct file *file)
{
	struct sysv_segment *segment = sysv_segment_from(file->channel);
	int r = 0;

	if (sysv_segment_is_born(segment))
		r = sysv_shm_open_again(segment, file->uid);
	channel_save(file->channel);
	return r;
}
