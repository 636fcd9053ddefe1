// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How a name becomes a segment.
 */
#include "lib/kinds/sysv/sysv_shm_birth.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/channel/record.h"

#define COMPLETE ((uint64_t)1 << 32)

static const struct sysv_calls *calls_of(struct space *space)
{
	return sysv_space_from(space)->calls;
}

void sysv_segment_uncharge(struct sysv_segment *segment)
{
	struct host *host = segment->sysv.channel.space->host;

	if (segment->charged == (uid_t)-1)
		return;
	numbers_give(&host->numbers, ~segment->attributes.ino);
	user_uncharge(&host->users, segment->charged, USER_CHANNELS, 1);
}

static int new_segment(struct space *space, key_t key, uid_t charged,
		       struct sysv_segment **ret_segment)
{
	struct sysv_segment *segment;
	int r = user_charge(&space->host->users, charged, USER_CHANNELS, 1);

	if (r < 0)
		return r;
	segment = calloc(1, sizeof(*segment));
	if (!segment) {
		user_uncharge(&space->host->users, charged, USER_CHANNELS, 1);
		return -ENOMEM;
	}
	channel_init(&segment->sysv.channel, space->kind->channel, space, CHANNEL_MAPPED);
	segment->sysv.id = -1;
	segment->key = key;
	segment->charged = charged;
	*ret_segment = segment;
	return 0;
}

int sysv_segment_conceive(struct space *space, const char *name, mode_t mode, struct caller *caller,
			  struct entry *ret_entry)
{
	struct sysv_segment *segment;
	key_t key;
	int r;

	if (!S_ISREG(mode))
		return -EPERM;
	if (!sysv_parse_key(name, &key))
		return -EINVAL;
	if (calls_of(space)->find(key) >= 0)
		return -EEXIST;
	r = new_segment(space, key, caller->uid, &segment);
	if (r < 0)
		return r;
	/* Numbered from the top down: identifiers, which it gets with a size, begin below. */
	attributes_init(&segment->attributes, ~numbers_take(&space->host->numbers), mode, caller);
	r = channel_remember(&segment->sysv.channel);
	if (r < 0) {
		channel_unref(&segment->sysv.channel);
		return r;
	}
	channel_save(&segment->sysv.channel);
	ret_entry->channel = &segment->sysv.channel;
	return 0;
}

/* The object with this id has just been made, and becomes this segment. */
static int segment_made(struct sysv_segment *segment, int id, struct caller *caller)
{
	struct channel *channel = &segment->sysv.channel;
	union sysv_data data;
	int r = sysv_stat_id(calls_of(channel->space), id, &data);

	if (r < 0)
		return r;
	segment->sysv.id = id;
	r = sysv_pin(&segment->sysv, &data);
	if (r < 0) {
		segment->sysv.id = -1;
		shmctl(id, IPC_RMID, NULL);
		return r;
	}
	if (channel->n_files > 0)
		r = sysv_shm_open_made(segment, &data, caller);
	channel_save(channel);
	return r;
}

/* Writes down what the kernel will be asked for. */
static void intend(struct sysv_segment *segment, size_t size)
{
	uint64_t *words = segment->sysv.channel.record->words;

	words[SEGMENT_CONCEIVED] = COMPLETE;
	STATE_ORDER();
	words[SEGMENT_INTENDED] = size;
	STATE_ORDER();
	words[SEGMENT_CONCEIVED] = COMPLETE | (uint32_t)getpid();
	STATE_ORDER();
}

int sysv_segment_bear(struct sysv_segment *segment, off_t size, struct caller *caller)
{
	int flags = IPC_CREAT | IPC_EXCL | (int)(segment->attributes.mode & 0777);
	int r = caller_enter(caller);

	if (r < 0)
		return r;
	intend(segment, (size_t)size);
	r = size < 0 ? -EINVAL : shmget(segment->key, (size_t)size, flags);
	if (r == -1)
		r = -errno;
	caller_leave();
	return r < 0 ? r : segment_made(segment, r, caller);
}

void sysv_segment_save_name(const struct sysv_segment *segment, struct object_record *record)
{
	record->attributes = segment->attributes;
	record->words[SEGMENT_KEY] = (uint64_t)segment->charged << 32 | (uint32_t)segment->key;
	STATE_ORDER();
	record->words[SEGMENT_CONCEIVED] |= COMPLETE;
}

/* If the former daemon had made the segment, and nothing more: takes it for the name's. */
static int adopt_made(struct sysv_segment *segment, const uint64_t *words)
{
	struct space *space = segment->sysv.channel.space;
	pid_t maker = (pid_t)(uint32_t)words[SEGMENT_CONCEIVED];
	int id = maker ? calls_of(space)->find(segment->key) : -ENOENT;
	union sysv_data data;

	if (id < 0 || sysv_stat_id(calls_of(space), id, &data) < 0 ||
	    data.segment.shm_cpid != maker || data.segment.shm_segsz != words[SEGMENT_INTENDED])
		return 0;
	segment->sysv.id = id;
	return sysv_pin(&segment->sysv, &data);
}

int sysv_segment_adopt_name(struct space *space, struct object_record *record,
			    struct channel **ret_channel)
{
	const uint64_t *words = record->words;
	key_t key = (key_t)(uint32_t)words[SEGMENT_KEY];
	struct sysv_segment *segment;
	int r;

	if (!(words[SEGMENT_CONCEIVED] & COMPLETE) || !S_ISREG(record->attributes.mode) ||
	    key == IPC_PRIVATE)
		return -EPROTO;
	r = new_segment(space, key, (uid_t)(words[SEGMENT_KEY] >> 32), &segment);
	if (r < 0)
		return r;
	segment->attributes = record->attributes;
	numbers_claim(&space->host->numbers, ~segment->attributes.ino);
	r = adopt_made(segment, words);
	if (r < 0)
		channel_unref(&segment->sysv.channel);
	else
		*ret_channel = &segment->sysv.channel;
	return r;
}
