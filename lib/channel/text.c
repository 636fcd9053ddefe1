// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A text is frozen into each open file: at once by print(), or when its making (making.h) is done.
 * That content is what the next daemon needs (relic.h). An open whose text is still being made has
 * not been answered, and comes again.
 */
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
#include "lib/channel/attributes.h"
#include "lib/channel/making.h"
#include "lib/channel/record.h"
#include "lib/channel/relic.h"

struct text {
	struct channel channel;
	struct text_source source;
	ino_t ino;
	size_t size; /* of the last content, unless kept elsewhere */
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

/*
 * A text that is made at each open is always new: by an old time, rsync(1) and make(1) would take
 * it for the one that they know. One that never changes is as old as its directory.
 */
static void text_times(const struct text *text, struct stat *attr)
{
	struct stat directory;

	space_stat(text->channel.space, &directory);
	if (text->source.ops->has_size)
		attributes_set_times(attr, &directory.st_mtim, &directory.st_mtim);
	else
		attributes_set_times(attr, NULL, &text->channel.space->host->started);
}

/*
 * To know the size of a text that no one has open, the daemon would have to make the text for each
 * line of `ls -l`. So stat(2) gives the size of the last content. tar(1) relies on that, and gets
 * the right size if nothing has changed. After open(2) the size is always right: file_stat().
 */
static int text_stat(struct channel *channel, struct stat *ret_attr)
{
	struct text *text = text_from(channel);

	ret_attr->st_ino = text->ino;
	ret_attr->st_mode = S_IFREG | 0444;
	ret_attr->st_nlink = 1;
	ret_attr->st_uid = geteuid();
	ret_attr->st_gid = getegid();
	attributes_set_size(ret_attr, *text->source.size);
	text_times(text, ret_attr);
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
	return r < 0 ? r : making_freeze(source, file, &content);
}

/* Returns the error in file::mark if the making has failed. */
static int text_opened(struct file *file)
{
	if (file->state)
		return -EAGAIN;
	return -(int)file->record->mark;
}

static void text_release(struct file *file)
{
	if (file->state)
		making_drop(file->state);
}

/* Called only before the file is frozen, or if it never is. */
static ssize_t text_read(struct file *file, void *data, size_t size, off_t offset)
{
	return text_opened(file);
}

static uint32_t text_poll(struct file *file)
{
	return file->state ? 0 : EPOLLIN | EPOLLRDNORM;
}

static void text_save(struct channel *channel, struct object_record *record)
{
	const struct text *text = text_from(channel);

	relic_save(record, text->ino, *text->source.size, text->source.ops->has_size);
}

static const struct channel_ops text_channel_ops = {
	.traits = CHANNEL_HAS_NO_LOCKS,
	.destroy = text_destroy,
	.stat = text_stat,
	.change = text_change,
	.truncate = text_truncate,
	.open = text_open,
	.opened = text_opened,
	.release = text_release,
	.read = text_read,
	.poll = text_poll,
	.save = text_save,
};

ino_t text_ino(const struct space *space, const char *name)
{
	return space_inner_ino(space, name);
}

void text_set_ino(struct channel *channel, ino_t ino)
{
	text_from(channel)->ino = ino;
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
	text->size = ops->first_size ? ops->first_size : TEXT_SIZE_UNKNOWN;
	if (ops->has_size)
		text->size = content.size;
	text->source = (struct text_source){
		.channel = &text->channel,
		.ops = ops,
		.data = data,
		.size = ops->last_size ? ops->last_size(data) : &text->size,
	};
	text->ino = text_ino(space, name);
	*ret_channel = &TAKE_PTR(text)->channel;
	return 0;
}
