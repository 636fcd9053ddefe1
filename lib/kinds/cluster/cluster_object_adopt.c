// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What outlives the daemon of an object: all that its open files need to go on at once, the
 * settings among it. It is as after a break of the link: what the bucket's watch then tells first
 * is true. Only the names of owner and group are left out, as long as they are.
 */
#include <errno.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/kinds/cluster/cluster.h"

/* object_record::words */
struct cluster_record {
	struct cluster_settings settings;
	int64_t created;
	uint64_t prefix;
};

_Static_assert(sizeof(struct cluster_record) <= OBJECT_WORDS * sizeof(uint64_t), "object_record");

/* The first letter is written last, and goes first: without a name, the object was removed. */
static void save_name(const struct cluster_object *object, struct object_record *record)
{
	if (!object->is_named) {
		record->name[0] = '\0';
		return;
	}
	if (record->name[0])
		return;
	strcpy(record->name + 1, object->name + 1);
	STATE_ORDER();
	record->name[0] = object->name[0];
}

void cluster_object_save(struct channel *channel, struct object_record *record)
{
	const struct cluster_object *object = cluster_object_from(channel);
	struct cluster_record *words = (struct cluster_record *)record->words;

	record->attributes = object->attributes;
	words->settings = object->entry.settings;
	words->created = object->entry.created;
	words->prefix = object->prefix;
	STATE_ORDER();
	save_name(object, record);
}

/* Fails with -EPROTO if no object can have this name, or another one has it. */
static int find_key(const struct cluster_space *space, const char *name,
		    char ret_key[static CLUSTER_KEY_SIZE])
{
	char again[NAME_MAX + 1];

	ret_key[0] = '\0';
	if (!*name)
		return 0;
	if (cluster_key_from_name(name, ret_key) < 0 || cluster_name_from_key(ret_key, again) < 0 ||
	    strcmp(name, again) != 0 || cluster_find(space, name))
		return -EPROTO;
	return 0;
}

static void take_record(struct cluster_object *object, const struct object_record *record)
{
	const struct cluster_record *words = (const struct cluster_record *)record->words;
	const struct cluster_entry entry = {.mode = record->attributes.mode,
					    .created = words->created,
					    .settings = words->settings};

	object->attributes = record->attributes;
	object->prefix = words->prefix;
	object->is_adopted = true;
	object->sweep = object->cluster->sweep - 1;
	cluster_object_take_entry(object, &entry, 0);
}

int cluster_object_adopt(struct space *space_, struct object_record *record,
			 struct channel **ret_channel)
{
	struct cluster_space *space = cluster_space_from(space_);
	struct cluster_object *object;
	char key[CLUSTER_KEY_SIZE];

	if (!record->attributes.ino || find_key(space, record->name, key) < 0)
		return -EPROTO;
	if (record->name[0] && !cluster_has_room(space->cluster))
		return -ENOSPC;
	object = cluster_object_new(space, record->name, key);
	if (!object)
		return -ENOMEM;
	take_record(object, record);
	numbers_claim(&space_->host->numbers, object->attributes.ino);
	if (space->kind->init)
		space->kind->init(object);
	if (object->is_named)
		channel_ref(&object->channel);
	else if (space->kind->unnamed)
		space->kind->unnamed(object);
	*ret_channel = &object->channel;
	return 0;
}

bool cluster_was_lent(const struct file *file)
{
	struct host *host = file->channel->space->host;
	const struct journal *journal = host->journal;

	return journal->file == file->id && journal->step == JOURNAL_TAKE &&
	       journal->before == file->record->mark && !journal_is_again(host, journal->reader);
}
