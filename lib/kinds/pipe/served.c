// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pipes that the daemon serves, as regular files. A write of up to 1 MiB is one unit, and an open
 * never waits.
 *
 * A waiting reader is answered straight from the writer's bytes. Bytes that no reader waits for go
 * into a store, and later readers are answered from there. So readers wait only while the store is
 * empty, and bytes never overtake each other.
 */
#include "lib/kinds/pipe/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>

#include "lib/channel/journal.h"
#include "lib/channel/transfer.h"

static bool served_is_at_end(const struct pipe *pipe, const struct file *file)
{
	return store_bytes(&pipe->store) == 0 && !pipe->has_no_end &&
	       ending_is_due(file, &pipe_record(pipe->kept.channel.record)->ending);
}

static int served_truncate(struct channel *channel, struct file *file, off_t size,
			   struct caller *caller)
{
	struct pipe *pipe = pipe_from(channel);
	struct stat now = {0};

	if (size != 0)
		return -EINVAL;
	/* Throwing bytes away is like reading them: the right to write is not enough. */
	attributes_stat(pipe->kept.attributes, &now);
	if (!caller_may(caller, &now, R_OK))
		return -EACCES;
	store_empty(&pipe->store);
	channel_wake(channel, EPOLLOUT | EPOLLHUP);
	return 0;
}

static int served_open(struct file *file, struct caller *caller)
{
	ending_note_open(file, &pipe_record(file->channel->record)->ending);
	return 0;
}

static void served_release(struct file *file)
{
	struct pipe *pipe = pipe_from(file->channel);

	if (file_writes(file) && pipe->kept.channel.n_writers == 0)
		channel_wake(&pipe->kept.channel, EPOLLHUP);
	if (pipe->kept.channel.n_files == 0 && store_bytes(&pipe->store) == 0)
		store_empty(&pipe->store);
}

static void note_read(struct pipe *pipe, struct file *file)
{
	ending_note_data(file);
	attributes_touch(&pipe->kept.attributes->atime);
}

static ssize_t served_read(struct file *file, void *data, size_t size, off_t offset)
{
	struct pipe *pipe = pipe_from(file->channel);
	struct host *host = file->channel->space->host;
	size_t n;

	if (store_bytes(&pipe->store) == 0)
		return served_is_at_end(pipe, file) ? 0 : -EAGAIN;
	n = store_copy(&pipe->store, data, size);
	host->journal->size = n;
	STATE_ORDER();
	store_drop(&pipe->store, n);
	note_read(pipe, file);
	return (ssize_t)n;
}

static ssize_t served_lend(struct file *file, size_t size, struct pieces *pieces)
{
	struct pipe *pipe = pipe_from(file->channel);

	if (store_bytes(&pipe->store) == 0)
		return served_is_at_end(pipe, file) ? 0 : -EAGAIN;
	return (ssize_t)store_lend(&pipe->store, size, pieces);
}

static void served_take(struct file *file, size_t size)
{
	struct pipe *pipe = pipe_from(file->channel);

	store_drop(&pipe->store, size);
	note_read(pipe, file);
}

static ssize_t served_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct pipe *pipe = pipe_from(file->channel);
	size_t taken =
		store_bytes(&pipe->store) == 0 ? transfer_hand(&pipe->kept.channel, data, size) : 0;
	ssize_t n = 0;

	if (taken < size)
		n = store_put(&pipe->store, (const char *)data + taken, size - taken, file->buffer);
	if (n < 0 && taken == 0)
		return n;
	attributes_touch(&pipe->kept.attributes->mtime);
	return (ssize_t)taken + (n > 0 ? n : 0);
}

static bool served_has_room(struct pipe *pipe)
{
	return !pipe->kept.channel.writers && store_has_room(&pipe->store);
}

static uint32_t served_poll(struct file *file)
{
	struct pipe *pipe = pipe_from(file->channel);
	uint32_t events = 0;

	if (file_reads(file) && store_bytes(&pipe->store))
		events |= EPOLLIN | EPOLLRDNORM;
	if (file_reads(file) && served_is_at_end(pipe, file))
		events |= EPOLLHUP;
	if (file_writes(file) && served_has_room(pipe))
		events |= EPOLLOUT | EPOLLWRNORM;
	return events;
}

static int served_stat(struct channel *channel, struct stat *ret_attr)
{
	attributes_set_memory(ret_attr, store_bytes(&pipe_from(channel)->store));
	return pipe_stat(channel, ret_attr);
}

static void served_status(struct channel *channel, struct caller *caller, struct row *row)
{
	struct pipe *pipe = pipe_from(channel);
	struct stat attr = {0};

	row_add_time(row, "created", &pipe->kept.attributes->btime);
	row_add_word(row, "served", pipe_served_words[SERVED_DAEMON]);
	kept_stat(&pipe->kept, &attr);
	if (caller_may(caller, &attr, R_OK))
		row_add_bytes(row, "bytes", store_bytes(&pipe->store));
	row_add_bytes(row, "capacity", pipe->store.capacity);
	row_add_word(row, "eof", pipe_eof_words[pipe->has_no_end]);
}

static int served_peek(struct channel *channel, struct caller *caller, FILE *out)
{
	return store_peek(&pipe_from(channel)->store, out);
}

/* Fails with -EBUSY if the new capacity is too small for the bytes that wait. */
static int served_set(struct channel *channel, const struct settings *settings,
		      struct caller *caller)
{
	struct pipe *pipe = pipe_from(channel);
	int r = pipe_check_set(pipe, settings, caller);

	if (r == 0 && settings_has(settings, PIPE_KEEP))
		r = -EINVAL;
	if (r == 0 && settings_has(settings, PIPE_CAPACITY))
		r = store_shrink(&pipe->store, settings->values[PIPE_CAPACITY]);
	if (r < 0)
		return r;
	pipe_take(pipe, settings);
	pipe->store.capacity = pipe->capacity;
	channel_save(channel);
	channel_wake(channel, EPOLLOUT | EPOLLHUP);
	return 0;
}

static int served_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse)
{
	struct pipe *pipe = pipe_from(channel);

	if (store_bytes(&pipe->store) == 0)
		kept_disuse(&pipe->kept, disuse);
	return 0;
}

static uint64_t served_position(struct file *file)
{
	return pipe_from(file->channel)->store.record->taken;
}

static uint64_t served_accepted(struct channel *channel)
{
	return pipe_from(channel)->store.record->put;
}

const struct channel_ops served_ops = {
	.traits = CHANNEL_BYTES | CHANNEL_HAS_TAP,
	.destroy = pipe_destroy,
	.stat = served_stat,
	.change = pipe_change,
	.truncate = served_truncate,
	.open = served_open,
	.release = served_release,
	.read = served_read,
	.lend = served_lend,
	.take = served_take,
	.write = served_write,
	.poll = served_poll,
	.status = served_status,
	.peek = served_peek,
	.set = served_set,
	.disuse = served_disuse,
	.save = pipe_save,
	.adopt = pipe_adopt,
	.position = served_position,
	.accepted = served_accepted,
};
