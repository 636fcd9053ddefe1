// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Work on the backing file is a job; a text is all in memory.
 */
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
 * The data of a job. `fd` stays open, because the request that waits for the job holds its file
 * open. If `fd` is O_PATH, it only says where the file is; the right to use the file in this way is
 * the open file's.
 */
struct placing {
	int fd, mode; /* mode of fallocate(2), or whence of lseek(2) */
	off_t offset, length;
	off_t found;     /* the result of lseek(2) */
	bool drops_bits; /* the caller of fallocate(2) lacks CAP_FSETID */
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

/* Runs a job, because both calls wait for the lock of the file, which its users hold. */
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

/* A text has no hole except the one behind its end. */
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
