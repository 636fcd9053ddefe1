// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/kinds/posix/shm_size.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/backing.h"
#include "lib/kinds/posix/region.h"

/* A region to be sized. */
struct sizing {
	struct region_target target;
	off_t size;
	bool is_open;    /* the right comes from the open file */
	bool drops_bits; /* as the kernel does for whoever lacks CAP_FSETID */
};

/* The set-id bits that go when somebody without CAP_FSETID writes to the file. */
static mode_t set_id_bits(int fd, mode_t *ret_mode)
{
	struct stat attr;

	if (fstat(fd, &attr) < 0)
		return 0;
	*ret_mode = attr.st_mode & 07777;
	return attr.st_mode & (attr.st_mode & S_IXGRP ? S_ISUID | S_ISGID : S_ISUID);
}

static int drop_bits(int fd)
{
	mode_t mode;
	mode_t bits = set_id_bits(fd, &mode);

	return bits && fchmod(fd, mode & ~bits) < 0 ? -errno : 0;
}

static int sizing_act(void *data)
{
	const struct sizing *sizing = data;
	CLEANUP_FD int fd = region_target_open(&sizing->target);
	CLEANUP_FD int writable = -1;
	char path[40];

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (!sizing->is_open)
		return truncate(path, sizing->size) < 0 ? -errno : 0;
	writable = backing_use(fd, O_WRONLY);
	if (writable < 0)
		return writable;
	if (ftruncate(writable, sizing->size) < 0)
		return -errno;
	return sizing->drops_bits ? drop_bits(writable) : 0;
}

int shm_resize(struct named *named, struct file *file, off_t size, struct caller *caller)
{
	struct channel *channel = &named->channel;
	struct sizing sizing;
	mode_t mode;
	const struct job_call call = {.place = file ? JOB_WORKER : JOB_THREAD,
				      .act = sizing_act,
				      .data = &sizing,
				      .size = sizeof(sizing)};

	memset(&sizing, 0, sizeof(sizing)); /* job_run() compares all of it */
	region_target_init(&sizing.target, named, file ? channel->backing_fd : -1);
	sizing.size = size;
	sizing.is_open = file;
	sizing.drops_bits =
		file && set_id_bits(channel->backing_fd, &mode) && !caller_has(caller, CAP_FSETID);
	if (file)
		return job_run(channel->space->host, caller, &call);
	return region_run(channel->space, caller, &call);
}

static int bits_act(void *data)
{
	const struct region_target *target = data;
	CLEANUP_FD int fd = region_target_open(target);
	CLEANUP_FD int readable = fd < 0 ? fd : backing_use(fd, O_RDONLY);

	return readable < 0 ? readable : drop_bits(readable);
}

bool shm_has_dropped_bits(struct caller *caller, int *ret_result)
{
	return job_take_result(caller->waiter, bits_act, ret_result);
}

int shm_drop_bits(struct named *named, struct file *file, struct caller *caller)
{
	struct channel *channel = &named->channel;
	struct region_target target;
	mode_t mode;

	if (!file_writes(file) || !set_id_bits(channel->backing_fd, &mode) ||
	    caller_has(caller, CAP_FSETID))
		return 0;
	memset(&target, 0, sizeof(target)); /* job_run() compares all of it */
	region_target_init(&target, named, channel->backing_fd);
	return job_run(channel->space->host, caller,
		       &(struct job_call){.place = JOB_WORKER,
					  .act = bits_act,
					  .data = &target,
					  .size = sizeof(target)});
}
