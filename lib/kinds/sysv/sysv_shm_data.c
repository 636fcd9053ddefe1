// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attaches and detaches segments, and copies their bytes. Whatever may free a large segment runs on
 * a worker.
 */
#include "lib/kinds/sysv/sysv_shm_data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/workers.h"
#include "lib/channel/backing.h"
#include "lib/channel/record.h"
#include "lib/host/job.h"

/* Bytes. Smaller segments are freed within a millisecond. */
#define HELD_MIN (4 << 20)
/*
 * Bytes. A write to a segment no larger than this waits only briefly for somebody who frees its
 * pages (madvise(2), MADV_REMOVE).
 */
#define DIRECT_MOST (1 << 20)

bool sysv_shm_is_open(const struct sysv_segment *segment)
{
	return segment->sysv.channel.backing_fd >= 0 || segment->memory;
}

struct detachment {
	struct worker_task task;
	char *memory;
};

static void detachment_work(struct worker_task *task)
{
	shmdt(CONTAINER_OF(task, struct detachment, task)->memory);
}

static void detachment_done(struct worker_task *task)
{
	free(CONTAINER_OF(task, struct detachment, task));
}

/* On a worker: the last detachment of a removed segment frees all its memory. */
static void detach(struct host *host, uid_t uid, char *memory)
{
	struct detachment *detachment = host->workers ? malloc(sizeof(*detachment)) : NULL;

	if (detachment) {
		*detachment = (struct detachment){
			{.work = detachment_work, .done = detachment_done, .owner = uid}, memory};
		if (workers_submit(host->workers, &detachment->task) == 0)
			return;
	}
	free(detachment);
	shmdt(memory);
}

void sysv_shm_close(struct sysv_segment *segment)
{
	struct channel *channel = &segment->sysv.channel;

	if (channel->record)
		channel->record->fds[0] = -1;
	STATE_ORDER();
	if (channel->backing_fd >= 0)
		host_close(channel->space->host, channel->descriptors_uid, channel->backing_fd);
	channel->backing_fd = -1;
	if (segment->memory)
		detach(channel->space->host, channel->descriptors_uid, TAKE_PTR(segment->memory));
	channel_uncharge_descriptors(channel);
}

/*
 * Returns a descriptor of the file behind an attachment, to hand to the kernel, or -errno. -EIDRM:
 * the identifier had become another segment's.
 */
static int open_map(const struct sysv_segment *segment, const char *memory)
{
	const struct features *features = &segment->sysv.channel.space->host->features;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)memory;
	uintptr_t end = start + (segment->size + page - 1) / page * page;
	struct stat attr;
	char path[80];
	int fd;

	if (!features_has(features, FEATURE_MAP_FILES))
		return -EOPNOTSUPP;
	snprintf(path, sizeof(path), "/proc/self/map_files/%lx-%lx", start, end);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* The number of its inode is the identifier (ipc/shm.c, newseg). */
	if (fstat(fd, &attr) < 0 || attr.st_ino != (ino_t)segment->sysv.id ||
	    attr.st_size != (off_t)segment->size) {
		close(fd);
		return -EIDRM;
	}
	return fd;
}

/* Makes the attachment serve all opens, unless the present one is as good. */
static void keep_memory(struct sysv_segment *segment, char *memory, bool is_writable)
{
	struct host *host = segment->sysv.channel.space->host;
	uid_t uid = segment->sysv.channel.descriptors_uid;

	if (segment->memory && (segment->is_writable || !is_writable)) {
		detach(host, uid, memory);
		return;
	}
	if (segment->memory)
		detach(host, uid, segment->memory);
	segment->memory = memory;
	segment->is_writable = is_writable;
}

/* Opens the file through the first attachment, and keeps the attachment only if that fails. */
static int open_first(struct sysv_segment *segment, char *memory, bool is_writable, uid_t uid)
{
	struct channel *channel = &segment->sysv.channel;
	int fd, r = channel_charge_descriptors(channel, uid, 1);

	if (r < 0)
		return r;
	fd = open_map(segment, memory);
	if (fd == -EMFILE || fd == -ENFILE || fd == -EIDRM) {
		channel_uncharge_descriptors(channel);
		return fd == -EIDRM ? fd : -ENFILE;
	}
	if (fd < 0)
		keep_memory(segment, memory, is_writable);
	else
		channel->backing_fd = fd;
	return 0;
}

/* Attaches the segment with the rights that this thread has now. */
static int attach(const struct sysv_segment *segment, bool writes, char **ret_memory)
{
	void *memory = shmat(segment->sysv.id, NULL, writes ? 0 : SHM_RDONLY);

	if (memory == (void *)-1)
		return sysv_error(-errno);
	*ret_memory = memory;
	return 0;
}

/* Takes over the attachment. Detaching what the descriptor holds frees nothing, so it is quick. */
static int take(struct sysv_segment *segment, char *memory, bool is_writable, uid_t uid)
{
	struct channel *channel = &segment->sysv.channel;
	int r = 0;

	if (segment->memory)
		keep_memory(segment, memory, is_writable);
	else if (channel->backing_fd < 0)
		r = open_first(segment, memory, is_writable, uid);
	if (r < 0)
		detach(channel->space->host, uid, memory);
	else if (channel->backing_fd >= 0)
		shmdt(memory);
	return r;
}

int sysv_shm_open(struct sysv_segment *segment, const union sysv_data *data, bool writes,
		  struct caller *caller)
{
	char *memory = NULL;
	int r = caller_enter(caller);

	if (r < 0)
		return r;
	r = attach(segment, writes, &memory);
	caller_leave();
	segment->size = data->segment.shm_segsz;
	return r < 0 ? r : take(segment, memory, writes, caller->uid);
}

int sysv_shm_open_made(struct sysv_segment *segment, const union sysv_data *data,
		       struct caller *caller)
{
	char *memory = NULL;
	int r = attach(segment, true, &memory);

	segment->size = data->segment.shm_segsz;
	return r < 0 ? r : take(segment, memory, true, caller->uid);
}

int sysv_shm_open_again(struct sysv_segment *segment, uid_t uid)
{
	char *memory = NULL;
	union sysv_data data;
	bool is_writable = true;
	int r;

	if (sysv_shm_is_open(segment))
		return 0;
	r = sysv_data(&segment->sysv, &data);
	if (r == 0) {
		segment->size = data.segment.shm_segsz;
		r = attach(segment, true, &memory);
	}
	if (r == -EACCES) {
		is_writable = false;
		r = attach(segment, false, &memory);
	}
	if (r == 0)
		r = take(segment, memory, is_writable, uid);
	return r == -EIDRM ? -ESTALE : r;
}

/* A file held open by waiter::memory. */
struct hold {
	struct host *host;
	uid_t uid; /* whose segment it is */
	int fd;
};

static void hold_forget(void *memory)
{
	struct hold *hold = memory;

	host_close(hold->host, hold->uid, hold->fd);
	free(hold);
}

void sysv_shm_hold(struct sysv_segment *segment, struct waiter *waiter)
{
	CLEANUP_FREE struct hold *hold = malloc(sizeof(*hold));
	union sysv_data data;
	char *memory = NULL;

	if (!hold || sysv_shm_is_open(segment) || sysv_data(&segment->sysv, &data) < 0 ||
	    data.segment.shm_segsz < HELD_MIN || attach(segment, false, &memory) < 0)
		return;
	segment->size = data.segment.shm_segsz;
	*hold = (struct hold){
		.host = segment->sysv.channel.space->host,
		.uid = data.perm.uid,
		.fd = open_map(segment, memory),
	};
	shmdt(memory);
	if (hold->fd < 0)
		return;
	waiter->memory = TAKE_PTR(hold);
	waiter->forget = hold_forget;
}

/* Returns how many of `size` bytes at `offset` are in the segment. */
static size_t bound(const struct sysv_segment *segment, size_t size, off_t offset)
{
	size_t start = (size_t)offset < segment->size ? (size_t)offset : segment->size;

	return size < segment->size - start ? size : segment->size - start;
}

/* The kernel copies, so that a page that can't be read gives an error and not a signal. */
static ssize_t copy(struct sysv_segment *segment, void *data, size_t size, off_t offset)
{
	struct iovec ours = {data, size};
	struct iovec its = {segment->memory + offset, size};
	ssize_t n = process_vm_readv(getpid(), &ours, 1, &its, 1, 0);

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
		return copy(segment, data, size, offset);
	n = pread(file->channel->backing_fd, data, size, offset);
	return n < 0 ? -errno : n;
}

ssize_t sysv_shm_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct sysv_segment *segment = sysv_segment_from(file->channel);
	struct backing_place place = {
		.fd = file->channel->backing_fd,
		.offset = offset,
		.size = bound(segment, size, offset),
		.may_wait = segment->size > DIRECT_MOST,
	};

	if (place.size == 0 || !sysv_shm_is_open(segment))
		return -ENOSPC;
	if (segment->memory && !segment->is_writable)
		return -EACCES;
	if (segment->memory)
		place.memory = segment->memory + offset;
	return backing_write(file, &place, data);
}
