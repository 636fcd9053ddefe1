// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A long write takes several jobs, one for each piece. An append takes only one job, so that it
 * stays whole.
 */
#include "lib/channel/backing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/host/job.h"

/*
 * The most that one job writes, bytes. A job copies its bytes twice, which is fast if they fit into
 * the processor's cache.
 */
#define PIECE_MOST (64 << 10)

/*
 * The data of a job. It has a copy of the bytes, because the job may outlive the request when the
 * mount ends.
 */
struct writing {
	struct backing_place place;
	char data[];
};

int backing_use(int fd, int flags)
{
	int has = fcntl(fd, F_GETFL);
	char path[40];
	int used;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	used = has >= 0 && (has & O_PATH) ? open(path, flags | O_NONBLOCK | O_CLOEXEC)
					  : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return used < 0 ? -errno : used;
}

/*
 * Writes into a mapping. The kernel does the copy, so that a page that it can't get is an error and
 * not a signal.
 */
static ssize_t put_in_memory(const struct backing_place *place, const void *data)
{
	struct iovec ours = {(void *)data, place->size};
	struct iovec its = {place->memory, place->size};
	ssize_t n = process_vm_writev(getpid(), &ours, 1, &its, 1, 0);

	return n < 0 ? -EIO : n;
}

/*
 * Writes into the file. The offset of an append is only where the mount takes the end to be, which
 * misses what others have appended.
 */
static ssize_t put_in_file(const struct backing_place *place, const void *data)
{
	struct iovec bytes = {(void *)data, place->size};
	int flags = O_WRONLY | (place->appends ? O_APPEND : 0);
	CLEANUP_FD int opened = place->is_path ? backing_use(place->fd, flags) : -1;
	ssize_t n;
	int r;

	if (place->is_path && opened < 0)
		return opened;
	r = caller_enter_writer();
	if (r < 0)
		return r;
	n = pwritev2(place->is_path ? opened : place->fd, &bytes, 1, place->offset,
		     place->appends ? RWF_APPEND : 0);
	n = n < 0 ? -errno : n;
	caller_leave_writer();
	return n;
}

static ssize_t put(const struct backing_place *place, const void *data)
{
	return place->memory ? put_in_memory(place, data) : put_in_file(place, data);
}

static int writing_act(void *data)
{
	const struct writing *writing = data;

	return (int)put(&writing->place, writing->data);
}

/* Returns how many bytes the next job writes. What one request appends stays together. */
static size_t piece(const struct backing_place *place)
{
	return place->appends || place->size < PIECE_MOST ? place->size : PIECE_MOST;
}

static int start(struct file *file, const struct backing_place *place, const void *data)
{
	struct host *host = file->channel->space->host;
	struct caller opener = {.uid = file->uid, .gid = file->gid, .waiter = file->waiter};
	size_t size = sizeof(struct writing) + piece(place);
	struct writing *writing;

	if (host_reserve_spare(host, size) < 0)
		return -ENOMEM;
	writing = (struct writing *)host->spare;
	writing->place = *place;
	writing->place.size = piece(place);
	memcpy(writing->data, data, writing->place.size);
	return job_run(
		host, &opener,
		&(struct job_call){
			.place = JOB_WORKER, .act = writing_act, .data = writing, .size = size});
}

ssize_t backing_write(struct file *file, const struct backing_place *place, const void *data)
{
	int r;

	if (!place->may_wait || !file->channel->space->host->is_serving)
		return put(place, data);
	if (!file->waiter)
		return -EAGAIN;
	if (job_take_result(file->waiter, writing_act, &r))
		return r;
	return start(file, place, data);
}
