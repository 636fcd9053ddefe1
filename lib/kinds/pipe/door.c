// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes to the pipe are jobs, one piece at a time, because a write may have to wait for the pipe's
 * lock (ends.h). If the daemon is killed while a job is under way, nobody can tell whether the
 * piece is in the pipe: the door is lost then, and its client has to know. Else the next daemon has
 * it again.
 */
#include "lib/kinds/pipe/door.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/host/job.h"
#include "lib/kinds/pipe/keeper.h"

/*
 * The most bytes that one job writes. It copies them twice, which is fast as long as they fit into
 * the processor's cache.
 */
#define PIECE_MOST   ((size_t)65536)
#define FILL_WAIT_MS 200 /* how long filling_act() waits for room */

/* object_record::words. The descriptor is in its `fds`. */
enum {
	PIPE,     /* its id in host::objects */
	ACCEPTED, /* bytes of writes that have gone through */
	ZEROES,   /* and of holes */
	IS_BUSY,  /* a job is under way */
};

struct door {
	struct channel channel;
	struct pipe *pipe; /* a reference to its channel; NULL: adopted, but no file of it is yet */
	struct loop_source write_end;
	bool is_hole; /* the job under way writes the zeroes of a hole */
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

	if (door->pipe) {
		if (door->pipe->door == channel)
			door->pipe->door = NULL;
		channel_unref(&door->pipe->kept.channel);
	} else if (door->write_end.fd >= 0) {
		host_close(channel->space->host, 0, door->write_end.fd);
	}
	free(door);
}

/* How many bytes have gone through. */
static off_t position(const struct door *door)
{
	const struct object_record *record = door->channel.record;

	return record ? (off_t)(record->words[ACCEPTED] + record->words[ZEROES]) : 0;
}

/* The door's job is done, and has written `n` bytes. */
static void note_written(struct door *door, uint64_t n)
{
	struct object_record *record = door->channel.record;

	record->words[door->is_hole ? ZEROES : ACCEPTED] += n;
	STATE_ORDER();
	record->words[IS_BUSY] = false;
}

static int door_stat(struct channel *channel, struct stat *ret_attr)
{
	if (!door_from(channel)->pipe)
		return -ESTALE;
	kept_stat(&door_from(channel)->pipe->kept, ret_attr);
	ret_attr->st_mode = S_IFREG | (ret_attr->st_mode & 07777);
	return 0;
}

static int door_change(struct channel *channel, struct file *file, const struct stat *attr,
		       unsigned changes, struct caller *caller)
{
	struct pipe *pipe = door_from(channel)->pipe;

	return pipe ? channel_change(&pipe->kept.channel, NULL, attr, changes, caller) : -ESTALE;
}

/* The pipe has room again, or no reader is left. */
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
	door->channel.record->fds[0] = -1;
	STATE_ORDER();
	keeper_close(door->pipe->hold.keeper, door->pipe->kept.channel.record->charged,
		     TAKE_FD(door->write_end.fd));
	channel_uncharge_descriptors(&door->channel);
}

static void opening_undo(struct host *host, struct caller *caller, void *data)
{
	const struct ends_writing *writing = data;

	keeper_close(writing->keeper, caller->uid, writing->write_fd);
}

static int door_open(struct file *file, struct caller *caller)
{
	struct door *door = door_from(file->channel);
	struct host *host = file->channel->space->host;
	struct ends_writing writing;
	int r;

	memset(&writing, 0, sizeof(writing)); /* job_run() compares all of it */
	writing.keeper = door->pipe ? door->pipe->hold.keeper : NULL;
	writing.write_fd = -1;
	/* A door is opened once, by its creator. */
	if (!door->pipe || door->write_end.fd >= 0 ||
	    !hold_pin(&door->pipe->hold, &writing.read_end))
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

/*
 * The data of a job that writes one piece. To its creator the door is a regular file, so cp(1)
 * skips the holes of its source: it continues at a later position, or sets the size at the end. The
 * daemon writes zeroes in place of a hole.
 */
struct door_writing {
	struct ends_pin write_end; /* the door may close before the job runs */
	size_t size;
	char data[];
};

/* Returns how many bytes were written, 0 if there is no room: job_run() would misread -EAGAIN. */
static int put(int fd, const struct door_writing *writing)
{
	ssize_t n = write(fd, writing->data, writing->size);

	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return (int)n;
}

static int writing_act(void *data)
{
	const struct door_writing *writing = data;
	CLEANUP_FD int fd = ends_dup(&writing->write_end);

	return fd < 0 ? fd : put(fd, writing);
}

/*
 * Writes one piece for a caller that sets the size. Nothing wakes that caller when the pipe has
 * room again, so the job itself waits a little for room.
 */
static int filling_act(void *data)
{
	const struct door_writing *writing = data;
	CLEANUP_FD int fd = ends_dup(&writing->write_end);
	struct pollfd room = {.fd = fd, .events = POLLOUT};

	if (fd < 0)
		return fd;
	return poll(&room, 1, FILL_WAIT_MS) < 0 ? -errno : put(fd, writing);
}

/* Has a thread write one piece of `data`, or of zeroes if `data` is NULL. */
static int start(struct door *door, struct caller *caller, const void *data,
		 const struct job_call *how)
{
	struct host *host = door->channel.space->host;
	struct job_call call = *how;
	size_t piece = call.size < PIECE_MOST ? call.size : PIECE_MOST;
	struct door_writing *writing;
	struct stat attr = {0};
	int r;

	if (!door->pipe)
		return -ESTALE;
	kept_stat(&door->pipe->kept, &attr);
	call.place = JOB_ALONE;
	call.size = sizeof(*writing) + piece;
	if (host_reserve_spare(host, call.size) < 0)
		return -ENOMEM;
	call.data = writing = (struct door_writing *)host->spare;
	*writing = (struct door_writing){
		.write_end = {door->write_end.fd, host->dev,
			      space_ino(door->channel.space, attr.st_ino)},
		.size = piece,
	};
	if (data)
		memcpy(writing->data, data, piece);
	else
		memset(writing->data, 0, piece);
	door->channel.record->words[IS_BUSY] = true;
	STATE_ORDER();
	r = job_run(host, caller, &call);
	if (r != -EINPROGRESS)
		door->channel.record->words[IS_BUSY] = false;
	return r;
}

static ssize_t door_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct door *door = door_from(file->channel);
	struct caller opener = {.uid = file->uid, .gid = file->gid, .waiter = file->waiter};
	struct job_call how = {.is_final = true, .act = writing_act, .size = size};
	int r;

	if (!file->waiter)
		return -EAGAIN;
	if (job_take_result(file->waiter, writing_act, &r)) {
		note_written(door, r > 0 ? (uint64_t)r : 0);
		if (r <= 0)
			return r ? r : -EAGAIN;
		if (!door->is_hole)
			return r;
	}
	if (file->flags & O_APPEND)
		offset = position(door);
	if (offset < position(door))
		return -ESPIPE;
	if (!(ends_look(door->write_end.fd) & (EPOLLOUT | EPOLLERR)))
		return -EAGAIN;
	door->is_hole = offset > position(door);
	if (door->is_hole)
		how.size = (size_t)(offset - position(door));
	return start(door, &opener, door->is_hole ? NULL : data, &how);
}

/*
 * Fills up to the new size with zeroes. A smaller size fails: bytes can't be called back from the
 * pipe.
 */
static int door_truncate(struct channel *channel, struct file *file, off_t size,
			 struct caller *caller)
{
	struct door *door = door_from(channel);
	struct job_call how = {.act = filling_act};
	int r;

	if (caller->waiter && job_take_result(caller->waiter, filling_act, &r)) {
		door->is_hole = true;
		note_written(door, r > 0 ? (uint64_t)r : 0);
		if (r < 0)
			return r;
	}
	if (size <= position(door) || door->write_end.fd < 0)
		return size == position(door) ? 0 : -EINVAL;
	how.size = (size_t)(size - position(door));
	return start(door, caller, NULL, &how);
}

static uint32_t door_poll(struct file *file)
{
	return ends_look(door_from(file->channel)->write_end.fd) & (EPOLLOUT | EPOLLERR);
}

static void door_save(struct channel *channel, struct object_record *record)
{
	const struct door *door = door_from(channel);

	if (door->pipe)
		record->words[PIPE] = door->pipe->kept.channel.id;
	STATE_ORDER();
	record->fds[0] = door->write_end.fd;
}

static uint64_t door_accepted(struct channel *channel)
{
	return channel->record->words[ACCEPTED];
}

/* Its file finds the pipe, when all objects are there. */
static int door_adopt_file(struct file *file)
{
	struct door *door = door_from(file->channel);
	struct host *host = file->channel->space->host;
	struct channel *channel = slots_object(&host->objects, file->channel->record->words[PIPE]);
	int r;

	if (door->pipe || !channel || channel->ops != &fifo_ops || !pipe_from(channel)->hold.keeper)
		return -ESTALE;
	r = channel_charge_descriptors(&door->channel, file->uid, 1);
	if (r == 0)
		r = loop_add(host->loop, &door->write_end, EPOLLOUT | EPOLLET);
	if (r < 0) {
		channel_uncharge_descriptors(&door->channel);
		return r;
	}
	channel_ref(channel);
	door->pipe = pipe_from(channel);
	door->pipe->door = &door->channel;
	return 0;
}

static const struct channel_ops door_ops = {
	.traits = CHANNEL_WRITES_BY_JOB | CHANNEL_HAS_NO_LOCKS,
	.destroy = door_destroy,
	.stat = door_stat,
	.change = door_change,
	.truncate = door_truncate,
	.open = door_open,
	.release = door_release,
	.write = door_write,
	.poll = door_poll,
	.save = door_save,
	.adopt_file = door_adopt_file,
	.accepted = door_accepted,
};

/* The mount does not answer yet, and must not be asked. */
static bool is_write_end(int fd)
{
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
	struct statx attr;

	return flags >= 0 && (flags & O_ACCMODE) == O_WRONLY && (flags & O_NONBLOCK) &&
	       statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &attr) == 0 &&
	       S_ISFIFO(attr.stx_mode);
}

int door_adopt(struct space *space, struct object_record *record, struct channel **ret_channel)
{
	struct door *door;

	if (record->words[IS_BUSY] || !is_write_end(record->fds[0]))
		return -ESTALE;
	door = calloc(1, sizeof(*door));
	if (!door)
		return -ENOMEM;
	channel_init(&door->channel, &door_ops, space, CHANNEL_FILE);
	door->write_end = (struct loop_source){.fd = record->fds[0], .dispatch = door_dispatch};
	*ret_channel = &door->channel;
	return 0;
}

int door_new(struct pipe *pipe, struct channel **ret_door)
{
	struct door *door = calloc(1, sizeof(*door));

	if (!door)
		return -ENOMEM;
	channel_init(&door->channel, &door_ops, pipe->kept.channel.space, CHANNEL_FILE);
	channel_ref(&pipe->kept.channel);
	door->pipe = pipe;
	pipe->door = &door->channel;
	door->write_end = (struct loop_source){.fd = -1, .dispatch = door_dispatch};
	*ret_door = &door->channel;
	return 0;
}
