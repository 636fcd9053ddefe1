// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unlike the texts beside it, a tap is a stream: a read waits for what passes next.
 */
#include "lib/info/info_tap.h"

#include <assert.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/record.h"
#include "lib/channel/tap.h"

/* object_record::words */
enum { INO, TARGET /* the index in host::spaces of the space that shows it */ };

struct info_tap {
	struct channel channel;
	struct space *target; /* a reference */
	char *name;           /* of the object in there */
	ino_t ino;
};

static const struct channel_ops info_tap_ops;

static struct info_tap *info_tap_from(struct channel *channel)
{
	assert(channel->ops == &info_tap_ops);
	return CONTAINER_OF(channel, struct info_tap, channel);
}

bool info_has_tap(struct channel *channel, struct caller *caller)
{
	return (channel->traits & CHANNEL_HAS_TAP) && channel_check_read(channel, caller) == 0;
}

static void info_tap_destroy(struct channel *channel)
{
	struct info_tap *tap = info_tap_from(channel);
	struct space *space = channel->space;

	space_unref(tap->target);
	free(tap->name);
	free(tap);
	space_unref(space);
}

static int info_tap_stat(struct channel *channel, struct stat *ret_attr)
{
	ret_attr->st_ino = info_tap_from(channel)->ino;
	ret_attr->st_mode = S_IFREG | 0444;
	ret_attr->st_nlink = 1;
	ret_attr->st_uid = geteuid();
	ret_attr->st_gid = getegid();
	ret_attr->st_atim = ret_attr->st_mtim = ret_attr->st_ctim = channel->space->host->started;
	return 0;
}

static int info_tap_change(struct channel *channel, struct file *file, const struct stat *attr,
			   unsigned changes, struct caller *caller)
{
	return -EPERM;
}

static int info_tap_truncate(struct channel *channel, struct file *file, off_t size,
			     struct caller *caller)
{
	return -EPERM;
}

/* A process of another user is shown to whoever may see it in the text `peers`. */
static int open_at(struct channel *target, struct file *file, struct caller *caller)
{
	struct tap_reader *reader;
	int r = 0;

	if (!(target->traits & CHANNEL_HAS_TAP))
		r = -ENOENT;
	if (r == 0)
		r = channel_check_read(target, caller);
	if (r < 0)
		return r;
	file->record->mark = caller_has(caller, CAP_SYS_PTRACE);
	r = tap_open(target, file, file->record->mark, &reader);
	if (r == 0)
		file->state = reader;
	return r;
}

static int info_tap_adopt_file(struct file *file)
{
	struct tap_reader *reader;
	int r = tap_adopt(file, file->record->mark, &reader);

	if (r == 0)
		file->state = reader;
	return r;
}

static int info_tap_open(struct file *file, struct caller *caller)
{
	const struct info_tap *tap = info_tap_from(file->channel);
	struct entry entry;
	int r;

	if (file_writes(file))
		return -EACCES;
	r = space_find(tap->target, tap->name, caller, &entry);
	if (r < 0)
		return r;
	r = entry.channel ? open_at(entry.channel, file, caller) : -ENOENT;
	entry_unref(&entry);
	return r;
}

static void info_tap_release(struct file *file)
{
	tap_close(file->state);
}

/* Another open of the file in the next daemon looks the object up again, in the same directory. */
static void info_tap_save(struct channel *channel, struct object_record *record)
{
	const struct info_tap *tap = info_tap_from(channel);
	struct space **spaces = channel->space->host->spaces;

	record->space = OBJECT_TAP;
	record->words[INO] = tap->ino;
	for (size_t i = 0; spaces && spaces[i]; i++)
		if (space_shown(spaces[i]) == tap->target)
			record->words[TARGET] = i;
	strncpy(record->name, tap->name, NAME_MAX);
}

int info_tap_adopt(struct host *host, struct object_record *record, struct channel **ret_channel)
{
	struct space **spaces = host->spaces;
	size_t n = 0;

	while (spaces && spaces[n])
		n++;
	if (!host->info || record->words[TARGET] >= n || !record->name[0])
		return -EPROTO;
	return info_tap_new(host->info, space_shown(spaces[record->words[TARGET]]), record->name,
			    record->words[INO], ret_channel);
}

static uint64_t info_tap_position(struct file *file)
{
	return tap_position(file);
}

static ssize_t info_tap_read(struct file *file, void *data, size_t size, off_t offset)
{
	return tap_read(file->state, data, size);
}

static uint32_t info_tap_poll(struct file *file)
{
	return tap_poll(file->state);
}

/* Each open file has its own position: if one finds nothing, the next may still find something. */
static const struct channel_ops info_tap_ops = {
	.traits = CHANNEL_BYTES | CHANNEL_SELECTIVE_READS | CHANNEL_HAS_NO_LOCKS,
	.destroy = info_tap_destroy,
	.stat = info_tap_stat,
	.change = info_tap_change,
	.truncate = info_tap_truncate,
	.open = info_tap_open,
	.release = info_tap_release,
	.read = info_tap_read,
	.poll = info_tap_poll,
	.save = info_tap_save,
	.adopt_file = info_tap_adopt_file,
	.position = info_tap_position,
};

int info_tap_new(struct space *space, struct space *target, const char *name, ino_t ino,
		 struct channel **ret_channel)
{
	CLEANUP_FREE struct info_tap *tap = calloc(1, sizeof(*tap));
	CLEANUP_FREE char *copy = strdup(name);

	if (!tap || !copy)
		return -ENOMEM;
	channel_init(&tap->channel, &info_tap_ops, space_ref(space), CHANNEL_STREAM);
	tap->target = space_ref(target);
	tap->name = TAKE_PTR(copy);
	tap->ino = ino;
	*ret_channel = &TAKE_PTR(tap)->channel;
	return 0;
}
