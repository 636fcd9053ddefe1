// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The next daemon follows the names with rights of its own. Whoever then opens a text is checked by
 * the text, as with any open of an inode that somebody else has looked up.
 */
#include "fs/way.h"

#include <string.h>
#include <unistd.h>

#include "fs/inode.h"
#include "fs/session.h"
#include "lib/base/state.h"
#include "lib/channel/channel.h"
#include "lib/channel/folder.h"
#include "lib/channel/record.h"

/* info/KIND/NAME/TEXT begins at info/KIND. No way is longer. */
#define NAMES_MOST 3

static struct way *way_of(const struct session *session, const struct inode_record *record)
{
	return record->way ? state_block(session->host.state, record->way, sizeof(struct way))
			   : NULL;
}

static uint64_t number_of(const struct entry *entry)
{
	struct stat attr = {0};

	if (entry->space)
		return entry->space->ino;
	return channel_stat(entry->channel, &attr) < 0 ? 0 : attr.st_ino;
}

static bool is_lasting(const struct inode *inode)
{
	return inode->entry.space && inode->entry.space->is_lasting;
}

static int names_in(const char *names, size_t size)
{
	int n = 0;

	for (size_t i = 0; i < size; i++)
		n += !names[i];
	return n;
}

static void note(struct session *session, struct inode *inode, const struct inode *directory,
		 const char *name)
{
	struct state *state = session->host.state;
	const struct way *former = way_of(session, directory->record);
	size_t before = former ? former->size - sizeof(*former) : 0;
	size_t size = sizeof(*former) + before + strlen(name) + 1;
	bool is_followed = !former || names_in(former->names, before) < NAMES_MOST;
	struct way *way = is_followed ? state_alloc(state, size) : NULL;

	if (!way)
		return;
	way->size = size;
	way->begin = former ? former->begin : directory->entry.space->ino;
	way->ino = number_of(&inode->entry);
	if (former)
		memcpy(way->names, former->names, before);
	strcpy(way->names + before, name);
	STATE_ORDER();
	inode->record->way = state_offset(state, way);
}

/* Whether the record tells nothing yet, as that of a connection that is being made. */
static bool has_nothing(const struct object_record *record)
{
	for (int i = 0; i < OBJECT_FDS; i++)
		if (record->fds[i] >= 0)
			return false;
	for (int i = 0; i < OBJECT_WORDS; i++)
		if (record->words[i])
			return false;
	return !record->is_kept;
}

/* Whether the inode's object or directory is not in a record, from which it can be made anew. */
static bool needs_way(const struct inode *inode)
{
	const struct channel *channel = inode->entry.channel;

	if (!channel)
		return !inode->record->object;
	return !channel->record || channel->record->space == OBJECT_RELIC ||
	       has_nothing(channel->record);
}

void way_note(struct session *session, struct inode *inode, uint64_t directory, const char *name)
{
	const struct inode *found = inode_from(session, directory);

	if (state_fd(session->host.state) < 0 || inode->record->way || !needs_way(inode))
		return;
	if (found && (is_lasting(found) || found->record->way))
		note(session, inode, found, name);
}

void way_forget(struct session *session, struct inode_record *record)
{
	struct way *way = way_of(session, record);

	record->way = 0;
	STATE_ORDER();
	if (way)
		state_release(session->host.state, way, way->size);
}

/* Takes a step, and drops the reference to where it began. Returns false if there is no name. */
static bool step(struct entry *entry, const char *name)
{
	struct caller self = {.pid = getpid(), .uid = geteuid(), .gid = getegid()};
	struct entry next = {0};
	int r = entry->space ? space_find(entry->space, name, &self, &next) : -ENOTDIR;

	caller_fini(&self);
	entry_unref(entry);
	*entry = r < 0 ? (struct entry){0} : next;
	return r == 0;
}

/* Follows the names. */
static void follow(const struct session *session, const struct way *way, size_t size,
		   struct entry *ret_entry)
{
	struct space *begin = folder_search(session->root_space, way->begin);
	size_t place = 0;
	bool is_there = begin;

	if (begin)
		ret_entry->space = space_ref(begin);
	for (int n = 0; is_there && place < size && n < NAMES_MOST; n++) {
		is_there = step(ret_entry, way->names + place);
		place += strlen(way->names + place) + 1;
	}
	if (is_there && place == size && number_of(ret_entry) == way->ino)
		return;
	entry_unref(ret_entry);
	*ret_entry = (struct entry){0};
}

void way_adopt(struct session *session, struct inode_record *record)
{
	struct way *way = way_of(session, record);

	if (way && way->size > sizeof(*way))
		way = state_claim(session->host.state, record->way, way->size);
	else
		way = NULL;
	if (!way)
		record->way = 0;
	else if (((const char *)way)[way->size - 1])
		way_forget(session, record);
}

void way_find(const struct session *session, const struct inode_record *record,
	      struct entry *ret_entry)
{
	const struct way *way = way_of(session, record);

	*ret_entry = (struct entry){0};
	if (way)
		follow(session, way, way->size - sizeof(*way), ret_entry);
}
