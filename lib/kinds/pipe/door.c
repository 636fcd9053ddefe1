// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/kinds/pipe/door.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/host/job.h"
#include "lib/kinds/pipe/keeper.h"

/* A job copies its bytes twice, which is fast for what the processor's cache holds. */
#define PIECE_MOST ((size_t)65536)

struct door {
	struct channel channel;
	struct pipe *pipe; /* a reference to its channel */
	struct loop_source write_end;
};

static const struct channel_ops door_ops;

static struct door *door_from(struct channel *channel)
{
	assert(channel->ops == &door_ops);
	return CONTAINER_OF(channel, struct door, channel);
}

static void door_destroy(struct channel *channel)
{
	struct door *door = door_from(channel);

	channel_unref(&door->pipe->kept.channel);
	free(door);
}

static int door_stat(struct channel *channel, struct stat *ret_attr)
{
	kept_stat(&door_from(channel)->pipe->kept, ret_attr);
	ret_attr->st_mode = S_IFREG | (ret_attr->st_mode & 07777);
	return 0;
}

static int door_change(struct channel *channel, struct file *file, const struct stat *attr,
		       unsigned changes, struct caller *caller)
{
	return channel_change(&door_from(channel)->pipe->kept.channel, NULL, attr, changes, caller);
}

/* There is room, or nobody is left to read. */
static void door_dispatch(struct loop_source *source, uint32_t events)
{
	channel_wake(&CONTAINER_OF(source, struct door, write_end)->channel, EPOLLOUT);
}

static void door_close(struct door *door)
{
	struct host *host = door->channel.space->host;

	if (door->write_end.fd < 0)
		return;
	loop_remove(host->loop, &door->write_end);
	keeper_close(host, door->pipe->kept.charged, TAKE_FD(door->write_end.fd));
	channel_uncharge_descriptors(&door->channel);
}

static void opening_undo(struct host *host, struct caller *caller, void *data)
{
	keeper_close(host, caller->uid, ((struct ends_writing *)data)->write_fd);
}

static int door_open(struct file *file, struct caller *caller)
{
	struct door *door = door_from(file->channel);
	struct host *host = file->channel->space->host;
	struct ends_writing writing;
	int r;

	memset(&writing, 0, sizeof(writing)); /* job_run() compares all of it */
	writing.write_fd = -1;
	/* One made with O_EXCL has one file. */
	if (door->write_end.fd >= 0 || !hold_pin(&door->pipe->hold, &writing.read_end))
		return -ESTALE;
	r = job_run(host, caller,
		    &(struct job_call){.place = JOB_ALONE,
				       .act = ends_open_writing,
				       .data = &writing,
				       .size = sizeof(writing),
				       .undo = opening_undo});
	if (r < 0)
		return r;
	door->write_end.fd = writing.write_fd;
	r = channel_charge_descriptors(&door->channel, file->uid, 1);
	if (r == 0)
		r = loop_add(host->loop, &door->write_end, EPOLLOUT | EPOLLET);
	if (r < 0)
		door_close(door);
	return r;
}

static void door_release(struct file *file)
{
	door_close(door_from(file->channel));
}

struct door_writing {
	int fd;
	size_t size;
	char data[];
};

static int writing_act(void *data)
{
	const struct door_writing *writing = data;
	ssize_t n = write(writing->fd, writing->data, writing->size);

	/* To the job -EAGAIN would mean something else; of nothing written the end is the same. */
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return (int)n;
}

static ssize_t door_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct door *door = door_from(file->channel);
	struct host *host = file->channel->space->host;
	struct caller opener = {.uid = file->uid, .gid = file->gid, .waiter = file->waiter};
	size_t piece = size < PIECE_MOST ? size : PIECE_MOST;
	struct door_writing *writing;
	int r;

	if (!file->waiter)
		return -EAGAIN;
	if (job_take_result(file->waiter, writing_act, &r))
		return r ? r : -EAGAIN;
	if (!(ends_look(door->write_end.fd) & (EPOLLOUT | EPOLLERR)))
		return -EAGAIN;
	if (host_reserve_spare(host, sizeof(*writing) + piece) < 0)
		return -ENOMEM;
	writing = (struct door_writing *)host->spare;
	*writing = (struct door_writing){.fd = door->write_end.fd, .size = piece};
	memcpy(writing->data, data, piece);
	return job_run(host, &opener,
		       &(struct job_call){.place = JOB_ALONE,
					  .is_final = true,
					  .act = writing_act,
					  .data = writing,
					  .size = sizeof(*writing) + piece});
}

static uint32_t door_poll(struct file *file)
{
	return ends_look(door_from(file->channel)->write_end.fd) & (EPOLLOUT | EPOLLERR);
}

static const struct channel_ops door_ops = {
	.traits = CHANNEL_WRITES_BY_JOB,
	.destroy = door_destroy,
	.stat = door_stat,
	.change = door_change,
	.open = door_open,
	.release = door_release,
	.write = door_write,
	.poll = door_poll,
};

int door_new(struct pipe *pipe, struct channel **ret_door)
{
	struct door *door = calloc(1, sizeof(*door));

	if (!door)
		return -ENOMEM;
	channel_init(&door->channel, &door_ops, pipe->kept.channel.space, CHANNEL_FILE);
	channel_ref(&pipe->kept.channel);
	door->pipe = pipe;
	door->write_end = (struct loop_source){.fd = -1, .dispatch = door_dispatch};
	*ret_door = &door->channel;
	return 0;
}
