// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/channel/text.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/making.h"

struct text {
	struct channel channel;
	struct text_source source;
	ino_t ino;
	size_t size;
};

static const struct channel_ops text_channel_ops;

static struct text *text_from(struct channel *channel)
{
	assert(channel->ops == &text_channel_ops);
	return CONTAINER_OF(channel, struct text, channel);
}

static void text_destroy(struct channel *channel)
{
	struct text *text = text_from(channel);
	struct space *space = channel->space;

	if (text->source.ops->release)
		text->source.ops->release(text->source.data);
	free(text);
	space_unref(space);
}

static int text_stat(struct channel *channel, struct stat *ret_attr)
{
	struct text *text = text_from(channel);
	ret_attr->st_ino = text->ino;
	ret_attr->st_mode = S_IFREG | 0444;
	ret_attr->st_nlink = 1;
	ret_attr->st_uid = geteuid();
	ret_attr->st_gid = getegid();
	ret_attr->st_size = (off_t)text->size;
	/* cp(1) takes what has fewer blocks for a file with holes. */
	ret_attr->st_blocks = (blkcnt_t)(text->size + 511) / 512;
	ret_attr->st_atim = ret_attr->st_mtim = ret_attr->st_ctim = channel->space->host->started;
	return 0;
}

static int text_change(struct channel *channel, struct file *file, const struct stat *attr,
		       unsigned changes, struct caller *caller)
{
	return -EPERM;
}

static int text_truncate(struct channel *channel, struct file *file, off_t size,
			 struct caller *caller)
{
	return -EPERM;
}

static int text_open(struct file *file, struct caller *caller)
{
	const struct text_source *source = &text_from(file->channel)->source;
	struct remainder content;
	int r;

	if ((file->flags & O_ACCMODE) != O_RDONLY)
		return -EACCES;
	if (source->ops->prepare)
		return making_start(source, file, caller);
	r = making_print(source->ops, source->data, caller, &content);
	return r < 0 ? r : file_keep(file, content.data, content.size);
}

static void text_release(struct file *file)
{
	if (file->state)
		making_drop(file->state);
}

static ssize_t text_read(struct file *file, void *data, size_t size, off_t offset)
{
	size_t start = (size_t)offset < file->rest.size ? (size_t)offset : file->rest.size;

	if (file->state)
		return -EAGAIN;
	if (file->mark)
		return -(ssize_t)file->mark;
	if (!file->rest.data)
		return 0;
	if (size > file->rest.size - start)
		size = file->rest.size - start;
	memcpy(data, file->rest.data + start, size);
	return (ssize_t)size;
}

static uint32_t text_poll(struct file *file)
{
	return file->state ? 0 : EPOLLIN | EPOLLRDNORM;
}

static const struct channel_ops text_channel_ops = {
	.traits = CHANNEL_HAS_NO_LOCKS,
	.destroy = text_destroy,
	.stat = text_stat,
	.change = text_change,
	.truncate = text_truncate,
	.open = text_open,
	.release = text_release,
	.read = text_read,
	.poll = text_poll,
};

ino_t text_ino(const struct space *space, const char *name)
{
	return space->ino * 31 + space_path_ino(name);
}

int text_new(struct space *space, const char *name, const struct text_ops *ops, void *data,
	     struct channel **ret_channel)
{
	CLEANUP_FREE struct text *text = calloc(1, sizeof(*text));
	struct caller self = {.uid = geteuid(), .gid = getegid()};
	struct remainder content = {0};
	int r = text ? 0 : -ENOMEM;

	if (r == 0 && ops->has_size)
		r = making_print(ops, data, &self, &content);
	free(content.data);
	if (r < 0) {
		if (ops->release)
			ops->release(data);
		return r;
	}
	channel_init(&text->channel, &text_channel_ops, space_ref(space), CHANNEL_FILE);
	text->source = (struct text_source){&text->channel, ops, data};
	text->size = content.size;
	text->ino = text_ino(space, name);
	*ret_channel = &TAKE_PTR(text)->channel;
	return 0;
}
