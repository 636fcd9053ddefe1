// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/kinds/sysv/sysv_shm_data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

bool sysv_shm_is_open(const struct sysv_segment *segment)
{
	return segment->sysv.channel.backing_fd >= 0 || segment->memory;
}

void sysv_shm_close(struct sysv_segment *segment)
{
	struct channel *channel = &segment->sysv.channel;

	if (channel->backing_fd >= 0)
		host_close(channel->space->host, channel->descriptors_uid, channel->backing_fd);
	channel->backing_fd = -1;
	if (segment->memory)
		shmdt(TAKE_PTR(segment->memory));
	channel_uncharge_descriptors(channel);
}

/* A descriptor of the file behind the attachment, for the kernel to have; or -errno. */
static int open_map(const struct sysv_segment *segment)
{
	const struct features *features = &segment->sysv.channel.space->host->features;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)segment->memory;
	uintptr_t end = start + (segment->size + page - 1) / page * page;
	char path[80];
	int fd;

	if (!features_has(features, FEATURE_PASSTHROUGH) ||
	    !features_has(features, FEATURE_MAP_FILES))
		return -EOPNOTSUPP;
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", start, end);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int segment_attach(struct sysv_segment *segment, bool writes)
{
	void *memory = shmat(segment->sysv.id, NULL, 0);

	segment->is_read_only = memory == (void *)-1 && errno == EACCES && !writes;
	if (segment->is_read_only)
		memory = shmat(segment->sysv.id, NULL, SHM_RDONLY);
	if (memory == (void *)-1)
		return sysv_error(-errno);
	segment->memory = memory;
	return 0;
}

int sysv_shm_open(struct sysv_segment *segment, const union sysv_data *data, bool writes, uid_t uid)
{
	struct channel *channel = &segment->sysv.channel;
	int r = channel_charge_descriptors(channel, uid, 1);

	if (r < 0)
		return r;
	segment->size = data->segment.shm_segsz;
	segment->creator = data->perm.cuid;
	r = segment_attach(segment, writes);
	if (r < 0) {
		channel_uncharge_descriptors(channel);
		return r;
	}
	channel->backing_fd = open_map(segment);
	if (channel->backing_fd == -EMFILE || channel->backing_fd == -ENFILE)
		r = -ENFILE;
	if (channel->backing_fd < 0)
		channel->backing_fd = -1;
	else
		shmdt(TAKE_PTR(segment->memory));
	if (r < 0)
		sysv_shm_close(segment);
	return r;
}

/* How much of `size` bytes at `offset` is in the segment. */
static size_t bound(const struct sysv_segment *segment, size_t size, off_t offset)
{
	size_t start = (size_t)offset < segment->size ? (size_t)offset : segment->size;

	return size < segment->size - start ? size : segment->size - start;
}

/* The kernel copies, so that a page that is not to be had is an error and no signal. */
static ssize_t copy(struct sysv_segment *segment, void *data, size_t size, off_t offset,
		    bool writes)
{
	struct iovec ours = {data, size};
	struct iovec its = {segment->memory + offset, size};
	ssize_t n = writes ? process_vm_writev(getpid(), &ours, 1, &its, 1, 0)
			   : process_vm_readv(getpid(), &ours, 1, &its, 1, 0);

	return n < 0 ? -EIO : n;
}

ssize_t sysv_shm_read(struct file *file, void *data, size_t size, off_t offset)
{
	struct sysv_segment *segment = sysv_segment_from(file->channel);
	ssize_t n;

	size = bound(segment, size, offset);
	if (size == 0 || !sysv_shm_is_open(segment))
		return 0;
	if (segment->memory)
		return copy(segment, data, size, offset, false);
	n = pread(file->channel->backing_fd, data, size, offset);
	return n < 0 ? -errno : n;
}

ssize_t sysv_shm_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct sysv_segment *segment = sysv_segment_from(file->channel);
	ssize_t n;

	size = bound(segment, size, offset);
	if (size == 0 || !sysv_shm_is_open(segment))
		return -ENOSPC;
	if (segment->memory)
		return copy(segment, (void *)data, size, offset, true);
	n = pwrite(file->channel->backing_fd, data, size, offset);
	return n < 0 ? -errno : n;
}
