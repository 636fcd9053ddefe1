// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A relic is in no directory of the mount, so each has a space of its own, with nothing in it.
 */
#include "lib/channel/relic.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/attributes.h"
#include "lib/channel/record.h"

/* object_record::words */
enum { SIZE, IS_FIXED };

struct relic {
	struct channel channel;
	struct space space;
};

static const struct channel_ops relic_ops;

static void space_destroy(struct space *space)
{
	free(CONTAINER_OF(space, struct relic, space));
}

static int space_list_nothing(struct space *space, struct caller *caller, space_entry_fn *entry,
			      void *data)
{
	return 0;
}

static int space_find_nothing(struct space *space, const char *name, struct caller *caller,
			      struct entry *ret_entry)
{
	return -ENOENT;
}

static const struct space_ops relic_space_ops = {
	.destroy = space_destroy,
	.list = space_list_nothing,
	.lookup = space_find_nothing,
};

static void relic_destroy(struct channel *channel)
{
	assert(channel->ops == &relic_ops);
	space_unref(channel->space);
}

static int relic_stat(struct channel *channel, struct stat *ret_attr)
{
	const struct object_record *record = channel->record;

	ret_attr->st_ino = record->attributes.ino;
	ret_attr->st_mode = S_IFREG | 0444;
	ret_attr->st_nlink = 1;
	ret_attr->st_uid = geteuid();
	ret_attr->st_gid = getegid();
	attributes_set_size(ret_attr, record->words[SIZE]);
	attributes_set_times(ret_attr,
			     record->words[IS_FIXED] ? &channel->space->host->started : NULL,
			     &channel->space->host->started);
	return 0;
}

static int relic_change(struct channel *channel, struct file *file, const struct stat *attr,
			unsigned changes, struct caller *caller)
{
	return -EPERM;
}

static int relic_truncate(struct channel *channel, struct file *file, off_t size,
			  struct caller *caller)
{
	return -EPERM;
}

/* By /proc/PID/fd: whoever asks by a name gets the new text. */
static int relic_open(struct file *file, struct caller *caller)
{
	return -ESTALE;
}

/* Called only for a file without content. */
static ssize_t relic_read(struct file *file, void *data, size_t size, off_t offset)
{
	int r = -(int)file->record->mark;

	file->record->mark = EIO;
	return r;
}

static uint32_t relic_poll(struct file *file)
{
	return EPOLLIN | EPOLLRDNORM;
}

/* The former daemon may have been killed just before it noted that the content is complete. */
static int relic_adopt_file(struct file *file)
{
	struct timespec now;

	file->record->mark = EINTR;
	if (!file->rest.data || file->is_frozen)
		return 0;
	attributes_touch(&now);
	file->is_frozen = true;
	file->rest.made = now.tv_sec * CLOCK_S + now.tv_nsec;
	return 0;
}

static const struct channel_ops relic_ops = {
	.traits = CHANNEL_HAS_NO_LOCKS,
	.destroy = relic_destroy,
	.stat = relic_stat,
	.change = relic_change,
	.truncate = relic_truncate,
	.open = relic_open,
	.read = relic_read,
	.poll = relic_poll,
	.adopt_file = relic_adopt_file,
};

void relic_save(struct object_record *record, ino_t ino, size_t size, bool is_fixed)
{
	record->space = OBJECT_RELIC;
	record->attributes.ino = ino;
	record->words[SIZE] = size;
	record->words[IS_FIXED] = is_fixed;
}

int relic_adopt(struct host *host, struct object_record *record, struct channel **ret_channel)
{
	struct relic *relic;

	if (!record->attributes.ino)
		return -EPROTO;
	relic = calloc(1, sizeof(*relic));
	if (!relic)
		return -ENOMEM;
	space_init(&relic->space, &relic_space_ops, host, "");
	channel_init(&relic->channel, &relic_ops, &relic->space, CHANNEL_FILE);
	*ret_channel = &relic->channel;
	return 0;
}
