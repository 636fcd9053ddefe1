// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What outlives the daemon of an object that the kernel keeps: which one it is, and a name.
 */
#include <errno.h>
#include <string.h>

#include "lib/channel/kernel_names.h"

/*
 * The first letter is written last: without it the name is unknown, until someone looks the object
 * up. A name is only where the object was seen last, so that loses nothing.
 */
void named_note_name(const struct named *named)
{
	struct object_record *record = named->channel.record;

	if (!record || strcmp(record->name, named->name) == 0)
		return;
	record->name[0] = '\0';
	STATE_ORDER();
	if (!named->name[0] || strlen(named->name) > NAME_MAX)
		return;
	strcpy(record->name + 1, named->name + 1);
	STATE_ORDER();
	record->name[0] = named->name[0];
}

void named_save(struct named *named, struct object_record *record)
{
	record->words[NAMED_INO] = named->ino;
	record->words[NAMED_OPENER] = named->channel.descriptors_uid;
	named_note_name(named);
}

static bool is_name(const char *name)
{
	return !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int named_adopt(struct space *space_, const struct object_record *record,
		struct channel **ret_channel)
{
	struct named_space *space = named_space_from(space_);
	ino_t ino = record->words[NAMED_INO];
	struct named *named;

	HASH_FIND(hh, space->named, &ino, sizeof(ino), named);
	if (named || !ino || !is_name(record->name))
		return -EPROTO;
	return named_get(space, record->name, ino, ret_channel);
}

int named_charge(struct named *named, const struct object_record *record, unsigned n)
{
	return channel_charge_descriptors(&named->channel, (uid_t)record->words[NAMED_OPENER], n);
}
