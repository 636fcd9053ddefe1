// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * If the size is set through an open file, the daemon does it itself, on a worker. If by name, a
 * thread calls truncate(2) as the caller.
 */
#include "lib/kinds/posix/shm_size.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/backing.h"
#include "lib/kinds/posix/region.h"

/* A region to size. */
struct sizing {
	struct region_target target;
	off_t size;
	bool is_open;    /* the right comes from the open file */
	bool drops_bits; /* the caller lacks CAP_FSETID */
};

/* The file loses its set-ID bits, as natively, unless the caller has CAP_FSETID. */
static int resize(int fd, const struct sizing *sizing)
{
	int r = sizing->drops_bits ? caller_enter_writer() : 0;

	if (r < 0)
		return r;
	r = ftruncate(fd, sizing->size) < 0 ? -errno : 0;
	if (sizing->drops_bits)
		caller_leave_writer();
	return r;
}

static int sizing_act(void *data)
{
	const struct sizing *sizing = data;
	CLEANUP_FD int fd = region_target_open(&sizing->target);
	CLEANUP_FD int writable = -1;
	char path[REGION_LINK_SIZE];

	if (fd < 0)
		return fd;
	if (!sizing->is_open)
		return truncate(region_link(fd, path), sizing->size) < 0 ? -errno : 0;
	writable = backing_use(fd, O_WRONLY);
	return writable < 0 ? writable : resize(writable, sizing);
}

int shm_resize(struct named *named, struct file *file, off_t size, struct caller *caller)
{
	struct channel *channel = &named->channel;
	struct sizing sizing;
	const struct job_call call = {.place = file ? JOB_WORKER : JOB_THREAD,
				      .act = sizing_act,
				      .data = &sizing,
				      .size = sizeof(sizing)};

	memset(&sizing, 0, sizeof(sizing)); /* job_run() compares all of it */
	region_target_init(&sizing.target, named, file ? channel->backing_fd : -1);
	sizing.size = size;
	sizing.is_open = file;
	sizing.drops_bits = file && !caller_has(caller, CAP_FSETID);
	if (file)
		return job_run(channel->space->host, caller, &call);
	return region_run(channel->space, caller, &call);
}
