// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What outlives the daemon of a System V object: which object it is. All else is the kernel's, or
 * is looked at again. Its last attributes are kept for files that stay open when it is removed.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/channel/record.h"
#include "lib/kinds/sysv/sysv.h"

/* The words of the record: two numbers of 32 bits in each but SIZE. */
enum {
	ID_KEY,
	CREATOR,
	SIZE,
	FLAGS_MAKER /* written last */
};

#define SAVED       1U
#define WAS_READ    2U
#define WAS_WRITTEN 4U
#define HAS_LAST    8U
#define KNOWN_FLAGS 15U

_Static_assert(FLAGS_MAKER + 1 == SYSV_WORDS, "words of an object");

static uint64_t pair(long low, long high)
{
	return (uint64_t)(uint32_t)high << 32 | (uint32_t)low;
}

static long low_of(uint64_t word)
{
	return (int32_t)(uint32_t)word;
}

static long high_of(uint64_t word)
{
	return (int32_t)(uint32_t)(word >> 32);
}

bool sysv_is_saved(const struct object_record *record)
{
	return record->words[FLAGS_MAKER] & SAVED;
}

static void save_last(const struct stat *last, struct attributes *attributes)
{
	*attributes = (struct attributes){
		.ino = last->st_ino,
		.mode = last->st_mode,
		.uid = last->st_uid,
		.gid = last->st_gid,
		.atime = last->st_atim,
		.mtime = last->st_mtim,
		.ctime = last->st_ctim,
	};
}

void sysv_save(struct channel *channel, struct object_record *record)
{
	const struct sysv *sysv = sysv_from(channel);
	const struct sysv_identity *identity = &sysv->identity;
	long flags = SAVED | (sysv->was_used[0] ? WAS_READ : 0) |
		     (sysv->was_used[1] ? WAS_WRITTEN : 0) | (sysv->last.st_mode ? HAS_LAST : 0);

	if (sysv->last.st_mode)
		save_last(&sysv->last, &record->attributes);
	record->words[ID_KEY] = pair(identity->id, identity->key);
	record->words[CREATOR] = pair(identity->cuid, identity->cgid);
	record->words[SIZE] = (uint64_t)identity->size;
	STATE_ORDER();
	record->words[FLAGS_MAKER] = pair(flags, identity->maker);
	STATE_ORDER();
}

/* Fills in what sysv_save() has written. */
static void restore(struct sysv *sysv, const struct object_record *record)
{
	const uint64_t *words = record->words;

	sysv->id = (int)low_of(words[ID_KEY]);
	sysv->identity = (struct sysv_identity){
		.id = low_of(words[ID_KEY]),
		.key = high_of(words[ID_KEY]),
		.cuid = (long)(uint32_t)words[CREATOR],
		.cgid = (long)(words[CREATOR] >> 32),
		.size = (long)words[SIZE],
		.maker = high_of(words[FLAGS_MAKER]),
	};
	sysv->was_used[0] = words[FLAGS_MAKER] & WAS_READ;
	sysv->was_used[1] = words[FLAGS_MAKER] & WAS_WRITTEN;
	if (!(words[FLAGS_MAKER] & HAS_LAST))
		return;
	attributes_stat(&record->attributes, &sysv->last);
	attributes_set_size(&sysv->last, (size_t)sysv->identity.size);
}

int sysv_adopt(struct space *space_, struct object_record *record, struct channel **ret_channel)
{
	struct sysv_space *space = sysv_space_from(space_);
	CLEANUP_FREE struct sysv *sysv = calloc(1, space->object_size);
	struct sysv *other;
	union sysv_data unused;

	if (!sysv)
		return -ENOMEM;
	if (!sysv_is_saved(record) || low_of(record->words[ID_KEY]) < 0 ||
	    (long)record->words[SIZE] < 0)
		return -EPROTO;
	channel_init(&sysv->channel, space_->kind->channel, space_, space->service);
	restore(sysv, record);
	HASH_FIND_INT(space->objects, &sysv->id, other);
	if (!other)
		HASH_ADD_INT(space->objects, id, sysv);
	/* Two may have had the same identifier, one after the other. */
	sysv->is_gone = !sysv->hh.tbl;
	sysv_data(sysv, &unused);
	if (space->init)
		space->init(sysv);
	*ret_channel = &TAKE_PTR(sysv)->channel;
	return 0;
}
