// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/channel/channel.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/transfer.h"

static void channel_run_wake(struct loop_task *task);
static void channel_run_attend(struct loop_task *task);

void channel_init(struct channel *channel, const struct kind *kind, struct space *space,
		  enum channel_service service)
{
	channel->kind = kind;
	channel->space = space;
	channel->service = service;
	channel->traits = kind->traits;
	channel->n_refs = 1;
	channel->backing_fd = -1;
	channel->wake.run = channel_run_wake;
	channel->attend.run = channel_run_attend;
}

struct channel *channel_ref(struct channel *channel)
{
	channel->n_refs++;
	return channel;
}

void channel_unref(struct channel *channel)
{
	if (!channel)
		return;
	assert(channel->n_refs > 0);
	if (--channel->n_refs > 0)
		return;
	loop_cancel(channel->space->host->loop, &channel->wake);
	loop_cancel(channel->space->host->loop, &channel->attend);
	channel->kind->channel.destroy(channel);
}

int channel_charge_descriptors(struct channel *channel, uid_t uid, unsigned n)
{
	int r;

	if (channel->n_descriptors == 0)
		channel->descriptors_uid = uid;
	r = user_charge(&channel->space->host->users, channel->descriptors_uid, USER_DESCRIPTORS,
			n);
	if (r == 0)
		channel->n_descriptors += n;
	return r;
}

void channel_uncharge_descriptors(struct channel *channel)
{
	user_uncharge(&channel->space->host->users, channel->descriptors_uid, USER_DESCRIPTORS,
		      channel->n_descriptors);
	channel->n_descriptors = 0;
}

void channel_wake(struct channel *channel, uint32_t events)
{
	if (!channel->readers && !channel->writers && !channel->polled)
		return;
	channel->woken |= events;
	loop_defer(channel->space->host->loop, &channel->wake);
}

/* Tells those who poll, once each: the kernel asks again if somebody still waits. */
static void channel_tell_polled(struct channel *channel, uint32_t events)
{
	struct file *file, *next;

	DL_FOREACH_SAFE(channel->polled, file, next) {
		void (*polled)(struct file *) = file->polled;

		if (!(channel_poll(file) & (events | EPOLLHUP | EPOLLERR)))
			continue;
		DL_DELETE(channel->polled, file);
		file->polled = NULL;
		channel_attend(channel);
		polled(file);
	}
}

static void channel_run_wake(struct loop_task *task)
{
	struct channel *channel = CONTAINER_OF(task, struct channel, wake);
	uint32_t events = channel->woken;

	channel_ref(channel);
	channel->woken = 0;
	transfer_retry(channel, events);
	channel_tell_polled(channel, events);
	channel_unref(channel);
}

void channel_attend(struct channel *channel)
{
	if (channel->kind->channel.attend)
		loop_defer(channel->space->host->loop, &channel->attend);
}

static void channel_run_attend(struct loop_task *task)
{
	struct channel *channel = CONTAINER_OF(task, struct channel, attend);

	channel_ref(channel);
	channel->kind->channel.attend(channel);
	channel_unref(channel);
}

int channel_stat(struct channel *channel, struct stat *ret_attr)
{
	int r;

	*ret_attr = (struct stat){0};
	r = channel->kind->channel.stat(channel, ret_attr);
	if (channel->service != CHANNEL_BACKED)
		ret_attr->st_blksize = HOST_BLOCK;
	return r;
}

int channel_change(struct channel *channel, struct file *file, const struct stat *attr,
		   unsigned changes, struct caller *caller)
{
	return channel->kind->channel.change(channel, file, attr, changes, caller);
}

static void file_count(struct file *file, int n)
{
	struct channel *channel = file->channel;

	channel->n_files += (unsigned)n;
	if (file_reads(file))
		channel->n_readers += (unsigned)n;
	if (file_writes(file))
		channel->n_writers += (unsigned)n;
}

int channel_open(struct channel *channel, int flags, const struct selector *selector,
		 struct caller *caller, struct file **ret_file)
{
	struct user_table *users = &channel->space->host->users;
	CLEANUP_FREE struct file *file = calloc(1, sizeof(*file));
	int r;

	if (!file)
		return -ENOMEM;
	r = user_charge(users, caller->uid, USER_FILES, 1);
	if (r < 0)
		return r;
	file->channel = channel_ref(channel);
	file->uid = caller->uid;
	file->flags = flags;
	file->selector = *selector;
	file_count(file, 1);
	r = channel->kind->channel.open(file, caller);
	if (r < 0) {
		file_count(file, -1);
		channel_unref(channel);
		user_uncharge(users, caller->uid, USER_FILES, 1);
		/* The daemon's own table of descriptors is full: to the caller, the system's. */
		return r == -EMFILE ? -ENFILE : r;
	}
	*ret_file = TAKE_PTR(file);
	return 0;
}

static void file_drop_remainder(struct file *file)
{
	if (!file->rest.data)
		return;
	user_uncharge(&file->channel->space->host->users, file->uid, USER_BYTES, file->rest.size);
	free(file->rest.data);
	file->rest = (struct remainder){0};
}

int file_keep(struct file *file, char *content, size_t size)
{
	int r = user_charge(&file->channel->space->host->users, file->uid, USER_BYTES, size);

	file_drop_remainder(file);
	if (r < 0)
		free(content);
	else
		file->rest = (struct remainder){.data = content, .size = size};
	return r;
}

void channel_release(struct file *file)
{
	struct channel *channel;

	if (!file)
		return;
	channel = file->channel;
	channel_watch(file, NULL, NULL);
	file_drop_remainder(file);
	file_count(file, -1);
	channel->kind->channel.release(file);
	user_uncharge(&channel->space->host->users, file->uid, USER_FILES, 1);
	free(file);
	channel_unref(channel);
}

/* The next bytes of a message that was longer than the read that took it. */
static ssize_t remainder_read(struct file *file, size_t size, const void **ret_data)
{
	struct remainder *rest = &file->rest;
	struct host *host = file->channel->space->host;
	size_t n = rest->size - rest->offset;

	if (n > size)
		n = size;
	memcpy(host->scratch, rest->data + rest->offset, n);
	*ret_data = host->scratch;
	rest->offset += n;
	if (rest->offset == rest->size)
		file_drop_remainder(file);
	return n;
}

/* Keeps what a message has beyond `size` bytes, in memory that was had before it was taken. */
static void file_keep_rest(struct file *file, size_t size, size_t message_size)
{
	struct host *host = file->channel->space->host;
	size_t rest_size = message_size - size;
	char *rest = TAKE_PTR(host->spare);
	char *fitting;

	memcpy(rest, host->scratch + size, rest_size);
	fitting = realloc(rest, rest_size);
	file->rest = (struct remainder){.data = fitting ? fitting : rest, .size = rest_size};
}

/*
 * Takes one message. Where its rest might not fit in the reader's buffer, the memory for it is had
 * first: once the message is taken there is no way to put it back.
 */
static ssize_t message_take(struct file *file, size_t size, const void **ret_data)
{
	struct channel *channel = file->channel;
	struct host *host = channel->space->host;
	size_t rest_max = channel->message_max > size ? channel->message_max - size : 0;
	size_t rest_size = 0;
	ssize_t n;

	if (host_reserve(host, channel->message_max) < 0)
		return -ENOMEM;
	if (rest_max && host_reserve_spare(host, rest_max) < 0)
		return -ENOMEM;
	if (rest_max && user_charge(&host->users, file->uid, USER_BYTES, rest_max) < 0)
		return -ENOBUFS;
	n = channel->kind->channel.read(file, host->scratch, host->scratch_size, 0);
	if (n > 0 && (size_t)n > size) {
		rest_size = (size_t)n - size;
		file_keep_rest(file, size, (size_t)n);
		n = (ssize_t)size;
	}
	if (rest_max)
		user_uncharge(&host->users, file->uid, USER_BYTES, rest_max - rest_size);
	*ret_data = host->scratch;
	return n;
}

static ssize_t message_read(struct file *file, size_t size, const void **ret_data)
{
	size_t known;
	ssize_t n;

	do {
		known = file->channel->message_max;
		n = message_take(file, size, ret_data);
	} while (n == -EMSGSIZE && file->channel->message_max > known);
	return n;
}

ssize_t channel_read(struct file *file, size_t size, off_t offset, const void **ret_data)
{
	struct channel *channel = file->channel;
	struct host *host = channel->space->host;
	ssize_t n;

	if (channel->traits & KIND_MESSAGES) {
		if (file->rest.data)
			return remainder_read(file, size, ret_data);
		n = message_read(file, size, ret_data);
	} else {
		if (size > host->scratch_size)
			size = host->scratch_size;
		n = channel->kind->channel.read(file, host->scratch, size, offset);
		*ret_data = host->scratch;
	}
	if (n >= 0)
		channel_wake(channel, EPOLLOUT);
	return n;
}

ssize_t channel_write(struct file *file, const void *data, size_t size, off_t offset)
{
	struct channel *channel = file->channel;
	bool is_open = size == 0 && (channel->traits & KIND_OPENS_LATE);
	ssize_t n;

	/* An open that is late asks, writing nothing, whether somebody is at the other end. */
	if (channel->writers && !(channel->traits & KIND_SELECTIVE_WRITES) && !is_open)
		return -EAGAIN;
	n = channel->kind->channel.write(file, data, size, offset);
	if (n > 0)
		channel_wake(channel, EPOLLIN);
	return n;
}

uint32_t channel_poll(struct file *file)
{
	uint32_t events = file->channel->kind->channel.poll(file);

	return file->rest.data ? events | EPOLLIN | EPOLLRDNORM : events;
}

void channel_watch(struct file *file, void (*polled)(struct file *file), void *poll_data)
{
	struct channel *channel = file->channel;

	if (file->polled && !polled)
		DL_DELETE(channel->polled, file);
	else if (!file->polled && polled)
		DL_APPEND(channel->polled, file);
	file->polled = polled;
	file->poll_data = poll_data;
	channel_attend(channel);
}
