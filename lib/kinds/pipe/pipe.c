// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pipes: byte streams that the daemon keeps, so that a writer need not wait for a reader.
 *
 * A waiting reader is answered straight from the writer's bytes; what nobody waits for goes into a
 * kernel pipe, which is there only while it holds something or somebody has the channel open. So
 * readers wait only while the kernel pipe is empty, and bytes never overtake each other. FIFO and
 * socket nodes live among the pipes too; of those the daemon keeps no more than the name.
 */
#include "lib/channel/channel.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/channel/kept_names.h"
#include "lib/channel/transfer.h"
#include "lib/kinds/kinds.h"
#include "lib/kinds/pipe/store.h"

enum { PIPE_CAPACITY, PIPE_EOF };

static const char *const eof_words[] = {"auto", "never", NULL};

static const struct parameter pipe_parameters[] = {
	[PIPE_CAPACITY] = {"capacity", PARAMETER_SIZE, .min = 4096, .max = INT_MAX},
	[PIPE_EOF] = {"eof", PARAMETER_WORD, .words = eof_words},
	{.name = NULL},
};

struct pipe {
	struct kept kept;
	size_t capacity;    /* wanted, bytes */
	bool has_no_end;    /* eof=never */
	struct store store; /* what nobody has waited for */
	uint64_t n_opened;  /* times that a writer has opened it, counted from 1 */
};

/* file::mark of a reader that has seen data or a writer; else the pipe's n_opened as it was. */
#define MARK_SEEN 0

static const struct channel_ops pipe_ops;

static struct pipe *pipe_from(struct channel *channel)
{
	assert(channel->ops == &pipe_ops);
	return CONTAINER_OF(kept_from(channel), struct pipe, kept);
}

static bool pipe_is_at_end(const struct pipe *pipe, const struct file *file)
{
	return pipe->store.bytes == 0 && pipe->kept.channel.n_writers == 0 &&
	       file->mark != pipe->n_opened && !pipe->has_no_end;
}

/* The channel. */

static void pipe_destroy(struct channel *channel)
{
	struct pipe *pipe = pipe_from(channel);

	store_empty(&pipe->store);
	kept_fini(&pipe->kept);
	free(pipe);
}

static int pipe_stat(struct channel *channel, struct stat *ret_attr)
{
	kept_stat(&pipe_from(channel)->kept, ret_attr);
	return 0;
}

static int pipe_truncate(struct channel *channel, struct file *file, off_t size,
			 struct caller *caller)
{
	struct pipe *pipe = pipe_from(channel);
	struct stat now = {0};

	if (size != 0 || channel->service != CHANNEL_STREAM)
		return -EINVAL;
	/* To throw bytes away is to take them: writing alone does not give that right. */
	attributes_stat(&pipe->kept.attributes, &now);
	if (!caller_may(caller, &now, R_OK))
		return -EACCES;
	store_empty(&pipe->store);
	channel_wake(channel, EPOLLOUT | EPOLLHUP);
	return 0;
}

static int pipe_change(struct channel *channel, struct file *file, const struct stat *attr,
		       unsigned changes, struct caller *caller)
{
	return attributes_change(&pipe_from(channel)->kept.attributes, attr, changes, caller);
}

static int pipe_open(struct file *file, struct caller *caller)
{
	struct pipe *pipe = pipe_from(file->channel);

	if (pipe->kept.channel.service != CHANNEL_STREAM)
		return -ENXIO;
	if (file_writes(file))
		pipe->n_opened++;
	file->mark = pipe->kept.channel.n_writers ? MARK_SEEN : pipe->n_opened;
	return 0;
}

static void pipe_release(struct file *file)
{
	struct pipe *pipe = pipe_from(file->channel);

	if (file_writes(file) && pipe->kept.channel.n_writers == 0)
		channel_wake(&pipe->kept.channel, EPOLLHUP);
	if (pipe->kept.channel.n_files == 0 && pipe->store.bytes == 0)
		store_empty(&pipe->store);
}

static ssize_t pipe_read(struct file *file, void *data, size_t size, off_t offset)
{
	struct pipe *pipe = pipe_from(file->channel);
	ssize_t n;

	if (pipe->store.bytes == 0)
		return pipe_is_at_end(pipe, file) ? 0 : -EAGAIN;
	n = store_take(&pipe->store, data, size);
	if (n == -EAGAIN && pipe_is_at_end(pipe, file))
		return 0; /* somebody took it by way of /proc/PID/fd */
	if (n < 0)
		return n;
	file->mark = MARK_SEEN;
	attributes_touch(&pipe->kept.attributes.atime);
	return n;
}

static ssize_t pipe_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct pipe *pipe = pipe_from(file->channel);
	size_t taken = pipe->store.bytes == 0 ? transfer_hand(&pipe->kept.channel, data, size) : 0;
	ssize_t n = 0;

	if (taken < size)
		n = store_put(&pipe->store, (const char *)data + taken, size - taken);
	if (n < 0 && taken == 0)
		return n;
	attributes_touch(&pipe->kept.attributes.mtime);
	return (ssize_t)taken + (n > 0 ? n : 0);
}

static bool pipe_has_room(struct pipe *pipe)
{
	return !pipe->kept.channel.writers && store_has_room(&pipe->store);
}

static uint32_t pipe_poll(struct file *file)
{
	struct pipe *pipe = pipe_from(file->channel);
	uint32_t events = 0;

	if (file_reads(file) && pipe->store.bytes)
		events |= EPOLLIN | EPOLLRDNORM;
	if (file_reads(file) && pipe_is_at_end(pipe, file))
		events |= EPOLLHUP;
	if (file_writes(file) && pipe_has_room(pipe))
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

static void pipe_status(struct channel *channel, struct caller *caller, struct row *row)
{
	struct pipe *pipe = pipe_from(channel);
	struct stat attr = {0};

	row_add_time(row, "created", &pipe->kept.attributes.btime);
	if (channel->service != CHANNEL_STREAM)
		return;
	kept_stat(&pipe->kept, &attr);
	if (caller_may(caller, &attr, R_OK))
		row_add_bytes(row, "bytes", pipe->store.bytes);
	row_add_bytes(row, "capacity", pipe->store.capacity);
	row_add_word(row, "eof", eof_words[pipe->has_no_end]);
}

static int pipe_peek(struct channel *channel, FILE *out)
{
	return store_peek(&pipe_from(channel)->store, out);
}

static int pipe_check(const struct settings *settings, struct caller *caller)
{
	if (!settings_has(settings, PIPE_CAPACITY))
		return 0;
	return store_check(settings->values[PIPE_CAPACITY], caller);
}

static void pipe_take(struct pipe *pipe, const struct settings *settings)
{
	if (settings_has(settings, PIPE_CAPACITY))
		pipe->store.capacity = settings->values[PIPE_CAPACITY];
	if (settings_has(settings, PIPE_EOF))
		pipe->has_no_end = settings->values[PIPE_EOF];
}

/*
 * A kernel pipe that is there already changes at once; it can't be made smaller than what it holds
 * (-EBUSY).
 */
static int pipe_set(struct channel *channel, const struct settings *settings, struct caller *caller)
{
	struct pipe *pipe = pipe_from(channel);
	int r = channel->service == CHANNEL_STREAM ? pipe_check(settings, caller) : -EINVAL;

	if (r == 0 && !caller_owns(caller, pipe->kept.attributes.uid))
		r = -EPERM;
	if (r < 0)
		return r;
	if (settings_has(settings, PIPE_CAPACITY))
		r = store_shrink(&pipe->store, settings->values[PIPE_CAPACITY]);
	if (r < 0)
		return r;
	pipe_take(pipe, settings);
	channel_wake(channel, EPOLLOUT | EPOLLHUP);
	return 0;
}

/* The names. */

static int pipe_create(struct space *space, const char *name, mode_t mode,
		       const struct settings *settings, struct caller *caller,
		       struct entry *ret_entry)
{
	enum channel_service service = S_ISREG(mode) ? CHANNEL_STREAM : CHANNEL_NODE;
	CLEANUP_FREE struct pipe *pipe = NULL;
	int r;

	if (!S_ISREG(mode) && !S_ISFIFO(mode) && !S_ISSOCK(mode))
		return -EPERM;
	r = pipe_check(settings, caller);
	if (r < 0)
		return r;
	pipe = calloc(1, sizeof(*pipe));
	if (!pipe)
		return -ENOMEM;
	r = kept_init(&pipe->kept, space, service, name, mode, caller);
	if (r < 0)
		return r;
	store_init(&pipe->store, &space->host->users, caller->uid);
	pipe->n_opened = 1;
	pipe_take(pipe, settings);
	ret_entry->channel = &TAKE_PTR(pipe)->kept.channel;
	return 0;
}

static const struct channel_ops pipe_ops = {
	.destroy = pipe_destroy,
	.stat = pipe_stat,
	.change = pipe_change,
	.truncate = pipe_truncate,
	.open = pipe_open,
	.release = pipe_release,
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.status = pipe_status,
	.peek = pipe_peek,
	.set = pipe_set,
};

static const struct space_ops pipe_space_ops = {
	.destroy = kept_space_destroy,
	.list = kept_list,
	.lookup = kept_lookup,
	.create = pipe_create,
	.remove = kept_remove,
	.rename = kept_rename,
};

static int pipe_space_open(struct space **ret_space, struct host *host)
{
	return kept_space_open(ret_space, host, &pipe_kind, &pipe_space_ops);
}

const struct kind pipe_kind = {
	.path = "pipes",
	.parameters = pipe_parameters,
	.channel = &pipe_ops,
	.open = pipe_space_open,
};
