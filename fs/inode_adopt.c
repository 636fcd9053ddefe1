// SPDX-License-Identifier: GPL-2.0-or-later
/* Inodes of a daemon that was killed: the kernel goes on using their numbers. */
#include "fs/inode.h"

#include <errno.h>
#include <stdlib.h>

#include "fs/names.h"
#include "fs/session.h"
#include "fs/takeover.h"
#include "fs/way.h"
#include "lib/channel/folder.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"

/* Whether the object itself is there again; of a text, there may be only what was read of it. */
static bool is_whole(const struct channel *channel)
{
	return channel && channel->record->space != OBJECT_RELIC;
}

/* Finds what the inode stands for. Gives a reference or none: then it is lost. */
static struct entry adopt_entry(const struct session *session, const struct inode_record *record)
{
	struct entry entry = {0}, found = {0};

	if (record->is_directory)
		entry.space = folder_search(session->root_space, (ino_t)record->object);
	else
		entry.channel = slots_object(&session->host.objects, record->object);
	if (!entry.space && !is_whole(entry.channel))
		way_find(session, record, &found);
	if (found.space || found.channel)
		return found;
	if (entry.channel)
		channel_ref(entry.channel);
	if (entry.space)
		space_ref(entry.space);
	return entry;
}

/* Makes the inode of a record, unless it is lost. Fails with -ENOMEM. */
static int inode_adopt(struct session *session, struct inode_record *record)
{
	struct entry entry;
	struct inode *inode;
	void **place;

	way_adopt(session, record);
	entry = adopt_entry(session, record);
	record->n_handles = record->n_backed = 0; /* handles_adopt() counts them again */
	if (!entry.channel && !entry.space)
		return 0;
	inode = calloc(1, sizeof(*inode));
	if (!inode) {
		entry_unref(&entry);
		return -ENOMEM;
	}
	inode->record = record;
	inode->entry = entry;
	place = inode_place(&inode->entry, record->is_listed);
	if (!*place)
		*place = inode;
	slots_set_object(&session->inodes, record->nodeid, inode);
	if (inode_is_charged(&entry))
		names_add(session, record, record->uid);
	return 0;
}

/* Takes back what was not answered. Only once, because this daemon, too, may be killed before. */
static bool is_uncounted(struct session *session, struct inode_record *record)
{
	bool is_again = journal_is_again(&session->host, record->looked);

	record->looked = 0;
	STATE_ORDER();
	record->n_lookups -= is_again && record->n_lookups > 0;
	return record->n_lookups == 0;
}

static bool is_root(const struct session *session, const struct inode_record *record)
{
	return record->is_directory && record->object == session->root_space->ino;
}

int inodes_adopt(struct session *session)
{
	uint64_t id = 0;
	int r = 0;

	while ((id = slots_next(&session->inodes, id)) != 0) {
		struct inode_record *record = slots_record(&session->inodes, id);

		record->nodeid = id;
		state_mend(&record->is_directory);
		state_mend(&record->has_number);
		state_mend(&record->is_listed);
		record->is_charged = false;
		record->older = record->newer = 0;
		if (slots_object(&session->inodes, id))
			continue; /* the root: it has been made anew */
		if (is_root(session, record) || is_uncounted(session, record))
			slots_remove(&session->inodes, id);
		else
			r = inode_adopt(session, record);
		if (r < 0 && !takeover_may_lose(session, r))
			return r;
		r = 0;
	}
	return 0;
}
