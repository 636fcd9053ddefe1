// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/channel/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/backing.h"
#include "lib/host/job.h"

/*
 * The descriptor stays open, because the request that waits for this holds its file open. One that
 * is O_PATH says where the file is, and the right to use it so is the open file's.
 */
struct placing {
	int fd, mode; /* of fallocate(2), or whence of lseek(2) */
	off_t offset, length;
	off_t found;     /* what comes of lseek(2) */
	bool drops_bits; /* whoever allocates lacks CAP_FSETID */
};

static int allocation_act(void *data)
{
	const struct placing *allocation = data;
	CLEANUP_FD int fd = backing_use(allocation->fd, O_WRONLY);
	int r = fd < 0 ? fd : 0;

	if (r == 0 && allocation->drops_bits)
		r = caller_enter_writer();
	if (r < 0)
		return r;
	if (fallocate(fd, allocation->mode, allocation->offset, allocation->length) < 0)
		r = -errno;
	if (allocation->drops_bits)
		caller_leave_writer();
	return r;
}

static int seek_act(void *data)
{
	struct placing *seek = data;
	CLEANUP_FD int fd = backing_use(seek->fd, O_RDONLY);

	if (fd == -EACCES)
		fd = backing_use(seek->fd, O_WRONLY);
	if (fd < 0)
		return fd;
	seek->found = lseek(fd, seek->offset, seek->mode);
	return seek->found < 0 ? -errno : 0;
}

/* Both wait for the lock of the file, which its users have. */
static int place(struct file *file, struct caller *caller, int (*act)(void *data),
		 struct placing *placing)
{
	return job_run(file->channel->space->host, caller,
		       &(struct job_call){.place = JOB_WORKER,
					  .act = act,
					  .data = placing,
					  .size = sizeof(*placing)});
}

int channel_allocate(struct file *file, int mode, off_t offset, off_t length, struct caller *caller)
{
	struct placing placing;

	if (!channel_has_size(file->channel))
		return file->channel->service == CHANNEL_FILE ? -EOPNOTSUPP : -ENODEV;
	memset(&placing, 0, sizeof(placing)); /* job_run() compares all of it */
	placing.fd = file->channel->backing_fd;
	placing.mode = mode;
	placing.offset = offset;
	placing.length = length;
	placing.drops_bits = !caller_has(caller, CAP_FSETID);
	return place(file, caller, allocation_act, &placing);
}

/* There is no hole in a text but the one behind it. */
static int seek_text(const struct file *file, off_t offset, int whence, off_t *ret_offset)
{
	off_t end = (off_t)file->rest.size;

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	if (offset < 0 || offset >= end)
		return -ENXIO;
	*ret_offset = whence == SEEK_DATA ? offset : end;
	return 0;
}

int channel_seek(struct file *file, off_t offset, int whence, struct caller *caller,
		 off_t *ret_offset)
{
	struct placing placing;
	int r;

	if (file->is_frozen)
		return seek_text(file, offset, whence, ret_offset);
	if (file->channel->backing_fd < 0)
		return -ESPIPE;
	memset(&placing, 0, sizeof(placing)); /* job_run() compares all of it */
	placing.fd = file->channel->backing_fd;
	placing.mode = whence;
	placing.offset = offset;
	r = place(file, caller, seek_act, &placing);
	if (r == 0)
		*ret_offset = placing.found;
	return r;
}
