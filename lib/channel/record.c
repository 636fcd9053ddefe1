// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Records of objects and open files. Adoption makes all objects first, each with one reference that
 * is dropped at the end: an object that nobody needs any more goes away by itself.
 */
#include "lib/channel/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"
#include "lib/base/impatience.h"
#include "lib/channel/channel.h"
#include "lib/channel/journal.h"
#include "lib/channel/kind.h"
#include "lib/channel/lock_files.h"
#include "lib/channel/lock_table.h"
#include "lib/channel/relic.h"

void records_init(struct host *host)
{
	slots_place(&host->objects, sizeof(struct object_record), host->state, STATE_OBJECTS);
	slots_place(&host->files, sizeof(struct file_record), host->state, STATE_FILES);
	slots_place(&host->writes, sizeof(struct write_record), host->state, STATE_WRITES);
	lock_table_init(host);
	lock_files_init(host);
}

/* Returns the index of the directory of all the kind's objects; OBJECT_RELIC: there is none. */
static uint32_t find_space(const struct space *space)
{
	struct space **spaces = space->host->spaces;

	for (uint32_t i = 0; spaces && spaces[i]; i++)
		if (spaces[i] == space || (space->kind && spaces[i]->kind == space->kind))
			return i;
	return OBJECT_RELIC;
}

int channel_remember(struct channel *channel)
{
	struct host *host = channel->space->host;
	int r;

	if (channel->record) {
		/* To whoever comes later, the object is there, however its maker ends. */
		if (channel->record->made != host->journal->request)
			channel->record->made = 0;
		return 0;
	}
	r = slots_add(&host->objects, channel, &channel->id);
	if (r < 0)
		return r;
	channel->record = slots_record(&host->objects, channel->id);
	for (int i = 0; i < OBJECT_FDS; i++)
		channel->record->fds[i] = -1;
	channel->record->space = find_space(channel->space);
	channel->record->made = host->journal->request;
	return 0;
}

void channel_save(struct channel *channel)
{
	if (!channel->record)
		return;
	channel->record->message_max = channel->message_max;
	if (channel->ops->save)
		channel->ops->save(channel, channel->record);
}

void objects_settle(struct host *host, struct channel *channel)
{
	uint64_t id = 0;

	if (channel && channel->record)
		channel->record->made = 0;
	if (channel || !host->journal->request)
		return;
	while ((id = slots_next(&host->objects, id)) != 0) {
		struct object_record *record = slots_record(&host->objects, id);

		if (record->made == host->journal->request)
			record->made = 0;
	}
}

void object_destroy(struct channel *channel)
{
	struct host *host = channel->space->host;
	uint64_t id = channel->id;

	channel->ops->destroy(channel);
	if (id)
		slots_remove(&host->objects, id);
}

/* Has the kind make the object of a record. */
static int adopt_by_kind(struct host *host, struct object_record *record,
			 struct channel **ret_channel)
{
	struct space *space = NULL;

	for (uint32_t i = 0; host->spaces && host->spaces[i] && !space; i++)
		if (i == record->space)
			space = host->spaces[i];
	if (!space || !space->kind || !space->kind->channel || !space->kind->channel->adopt)
		return -EPROTO;
	return space->kind->channel->adopt(space, record, ret_channel);
}

/* Finds what the root has again. */
static int adopt_lasting(struct host *host, const struct object_record *record,
			 struct channel **ret_channel)
{
	struct caller self = {.pid = getpid(), .uid = geteuid(), .gid = getegid()};
	struct entry entry = {0};
	int r = host->top ? space_find(host->top, record->name, &self, &entry) : -EPROTO;

	caller_fini(&self);
	if (r == 0 && !entry.channel) {
		entry_unref(&entry);
		return -EPROTO;
	}
	*ret_channel = entry.channel;
	return r;
}

static int adopt_by_record(struct host *host, struct object_record *record,
			   struct channel **ret_channel)
{
	switch (record->space) {
	case OBJECT_LASTING:
		return adopt_lasting(host, record, ret_channel);
	case OBJECT_TAP:
		return host->adopt_tap ? host->adopt_tap(host, record, ret_channel) : -EPROTO;
	case OBJECT_RELIC:
		return relic_adopt(host, record, ret_channel);
	default:
		return adopt_by_kind(host, record, ret_channel);
	}
}

/* Makes the object of a record, and gives the record to it. */
static int object_adopt(struct host *host, uint64_t id)
{
	struct object_record *record = slots_record(&host->objects, id);
	struct channel *channel;
	int r;

	if (journal_is_again(host, record->made))
		return -EAGAIN;
	record->name[NAME_MAX] = '\0';
	r = adopt_by_record(host, record, &channel);
	if (r < 0)
		return r;
	if (channel->record) {
		channel_unref(channel);
		return -EPROTO;
	}
	channel->id = id;
	channel->record = record;
	channel->message_max = record->message_max;
	slots_set_object(&host->objects, id, channel);
	return 0;
}

/* Gives an object whose name was being changed its old name. */
static void restore_name(struct host *host)
{
	struct journal *journal = host->journal;
	struct object_record *record = slots_record(&host->objects, journal->renamed);

	if (record)
		memcpy(record->name, journal->old_name, sizeof(record->name));
	journal->renamed = 0;
}

/*
 * What can't be adopted is over: nobody else has its descriptors. An object with a name may be made
 * anew in a moment, and what it has, such as an address to listen at, must be free by then.
 */
static void object_lose(struct host *host, uint64_t id)
{
	const struct object_record *record = slots_record(&host->objects, id);
	bool is_impatient = record->is_kept && impatience_begin() == 0;

	for (int i = 0; i < OBJECT_FDS; i++) {
		if (record->fds[i] >= 0 && record->is_kept)
			close(record->fds[i]);
		else if (record->fds[i] >= 0)
			host_close(host, record->charged, record->fds[i]);
	}
	if (is_impatient)
		impatience_end();
	slots_remove(&host->objects, id);
}

int objects_adopt(struct host *host, objects_lose_fn *may_lose)
{
	uint64_t id = 0;

	restore_name(host);
	host->users.is_adopting = true;
	while ((id = slots_next(&host->objects, id)) != 0) {
		int r = object_adopt(host, id);

		if (r == 0)
			continue;
		if (r != -EAGAIN && !may_lose(host, slots_record(&host->objects, id), r))
			return r;
		object_lose(host, id);
	}
	return 0;
}

void objects_adopted(struct host *host)
{
	uint64_t id = 0;

	while ((id = slots_next(&host->files, id)) != 0)
		if (!slots_object(&host->files, id))
			slots_remove(&host->files, id);
	id = 0;
	while ((id = slots_next(&host->objects, id)) != 0)
		channel_unref(slots_object(&host->objects, id));
	host->users.is_adopting = false;
}
