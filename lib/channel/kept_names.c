// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Objects are found by name in a hash. The name holds one reference: an object that lost its name
 * lives on while someone uses it.
 */
#include "lib/channel/kept_names.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/host/processes.h"
#include "lib/host/thread.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/channel/tap.h"

struct kept *kept_from(struct channel *channel)
{
	assert(channel->space->ops->list == kept_list);
	return CONTAINER_OF(channel, struct kept, channel);
}

static struct kept_space *kept_space_from(struct space *space)
{
	assert(space->ops->list == kept_list);
	return CONTAINER_OF(space, struct kept_space, space);
}

static struct kept *kept_find(struct kept_space *space, const char *name)
{
	struct kept *kept;

	HASH_FIND_STR(space->kept, name, kept);
	return kept;
}

/*
 * Writes the name into the record. While an old name is being replaced, the journal has it, too:
 * the request for that comes again.
 */
static void note_name(struct kept *kept)
{
	struct journal *journal = kept->channel.space->host->journal;
	struct object_record *record = kept->channel.record;

	if (!kept->name) {
		record->name[0] = '\0';
		return;
	}
	memcpy(journal->old_name, record->name, sizeof(record->name));
	STATE_ORDER();
	journal->renamed = kept->channel.id;
	STATE_ORDER();
	strncpy(record->name, kept->name, NAME_MAX);
	STATE_ORDER();
	journal->renamed = 0;
}

/* Gives the object its name. Takes ownership of `name`, even when failing with -ENOMEM. */
static int kept_name(struct kept_space *space, struct kept *kept, char *name)
{
	kept->name = name;
	HASH_ADD_KEYPTR(hh, space->kept, kept->name, strlen(kept->name), kept);
	if (kept->hh.tbl) {
		if (kept->channel.record)
			note_name(kept);
		return 0;
	}
	free(TAKE_PTR(kept->name));
	return -ENOMEM;
}

/* Removes the name, and with it the space's reference. */
static void kept_unname(struct kept_space *space, struct kept *kept)
{
	HASH_DEL(space->kept, kept);
	free(TAKE_PTR(kept->name));
	note_name(kept);
	attributes_touch(&kept->attributes->ctime);
	if (space->unnamed)
		space->unnamed(kept);
	if (kept->channel.tap)
		tap_look(&kept->channel);
	channel_unref(&kept->channel);
}

/* Gives the object its record and its name. Takes ownership of `copy`. */
static int kept_enter(struct kept *kept, struct space *space, enum channel_service service,
		      char *copy)
{
	int r = copy ? 0 : -ENOMEM;

	channel_init(&kept->channel, space->kind->channel, space, service);
	if (r == 0)
		r = channel_remember(&kept->channel);
	if (r < 0) {
		free(copy);
		return r;
	}
	kept->attributes = &kept->channel.record->attributes;
	r = kept_name(kept_space_from(space), kept, copy);
	if (r < 0)
		slots_remove(&space->host->objects, kept->channel.id);
	return r;
}

int kept_init(struct kept *kept, struct space *space, enum channel_service service,
	      const char *name, mode_t mode, struct caller *caller)
{
	struct host *host = space->host;
	int r;

	if (kept_find(kept_space_from(space), name))
		return -EEXIST;
	r = user_charge(&host->users, caller->uid, USER_CHANNELS, 1);
	if (r < 0)
		return r;
	r = kept_enter(kept, space, service, strdup(name));
	if (r < 0) {
		user_uncharge(&host->users, caller->uid, USER_CHANNELS, 1);
		return r;
	}
	traffic_begin(&kept->channel.traffic);
	channel_ref(&kept->channel);
	attributes_init(kept->attributes, numbers_take(&host->numbers), mode, caller);
	kept->channel.record->charged = caller->uid;
	kept->channel.record->maker = thread_process(caller->pid, 0);
	STATE_ORDER();
	kept->channel.record->is_kept = true;
	return 0;
}

int kept_adopt(struct kept *kept, struct space *space, enum channel_service service,
	       struct object_record *record)
{
	struct host *host = space->host;
	char *copy;
	int r;

	if (!record->is_kept)
		return -EPROTO;
	if (kept_find(kept_space_from(space), record->name))
		return -EEXIST;
	r = user_charge(&host->users, record->charged, USER_CHANNELS, 1);
	if (r < 0)
		return r;
	channel_init(&kept->channel, space->kind->channel, space, service);
	if (record->name[0]) {
		copy = strdup(record->name);
		r = copy ? kept_name(kept_space_from(space), kept, copy) : -ENOMEM;
	}
	if (r < 0) {
		user_uncharge(&host->users, record->charged, USER_CHANNELS, 1);
		return r;
	}
	if (kept->name)
		channel_ref(&kept->channel);
	kept->attributes = &record->attributes;
	numbers_claim(&host->numbers, record->attributes.ino);
	traffic_begin(&kept->channel.traffic);
	return 0;
}

void kept_fini(struct kept *kept)
{
	struct host *host = kept->channel.space->host;

	numbers_give(&host->numbers, kept->attributes->ino);
	user_uncharge(&host->users, kept->channel.record->charged, USER_CHANNELS, 1);
}

void kept_stat(const struct kept *kept, struct stat *ret_attr)
{
	attributes_stat(kept->attributes, ret_attr);
	ret_attr->st_nlink = kept->name ? 1 : 0;
}

void kept_disuse(const struct kept *kept, struct disuse *disuse)
{
	if (process_has_ended(kept->channel.record->maker, kept->attributes->btime.tv_sec))
		disuse->why = "empty, its maker has ended, and no process has it open";
}

int kept_space_open(struct space **ret_space, struct host *host, const struct kind *kind,
		    const struct space_ops *ops)
{
	struct kept_space *space = calloc(1, sizeof(*space));

	if (!space)
		return -ENOMEM;
	space_init(&space->space, ops, host, kind->path);
	space->space.kind = kind;
	space->space.is_own = true;
	space->space.ino_unit = INO_OWN;
	space->space.ino_bits = INO_UNIT_BITS;
	*ret_space = &space->space;
	return 0;
}

void kept_space_destroy(struct space *space_)
{
	struct kept_space *space = kept_space_from(space_);
	struct kept *kept, *next;

	HASH_ITER(hh, space->kept, kept, next) {
		kept_unname(space, kept);
	}
	free(space);
}

int kept_list(struct space *space, struct caller *caller, space_entry_fn *entry, void *data)
{
	struct kept *kept, *next;

	HASH_ITER(hh, kept_space_from(space)->kept, kept, next) {
		if (!entry(data, kept->name, kept->attributes->ino, kept->attributes->mode))
			break;
	}
	return 0;
}

int kept_lookup(struct space *space, const char *name, struct caller *caller,
		struct entry *ret_entry)
{
	struct kept *kept = kept_find(kept_space_from(space), name);

	if (!kept)
		return -ENOENT;
	ret_entry->channel = channel_ref(&kept->channel);
	return 0;
}

const char *kept_explain(struct channel *channel, const char *name, const struct settings *settings,
			 int error)
{
	return !channel && error == -EMFILE
		       ? "more objects than a user may have (mount option max_channels)"
		       : NULL;
}

void kept_room(const struct space *space, const struct caller *caller, struct statvfs *room)
{
	struct user_table *users = &space->host->users;

	room_set_files(room, users->limits[USER_CHANNELS],
		       user_charged(users, caller->uid, USER_CHANNELS));
}

uint64_t kept_count(const struct space *space)
{
	return HASH_COUNT(((const struct kept_space *)space)->kept);
}

/* The request in hand is about to remove or to change a name. */
static void begin_unnaming(const struct space *space)
{
	struct journal *journal = space->host->journal;

	journal->unnamed = journal->request;
	STATE_ORDER();
}

/*
 * Whether the request in hand has removed or changed a name before the former daemon was killed. It
 * comes again then, and does not find the name.
 */
static bool was_unnamed(const struct space *space)
{
	const struct journal *journal = space->host->journal;

	return journal->is_again && journal->unnamed == journal->request;
}

int kept_remove(struct space *space, const char *name, struct caller *caller)
{
	struct kept *kept = kept_find(kept_space_from(space), name);

	if (!kept)
		return was_unnamed(space) ? 0 : -ENOENT;
	if (!caller_owns(caller, kept->attributes->uid))
		return -EPERM;
	begin_unnaming(space);
	kept_unname(kept_space_from(space), kept);
	return 0;
}

/*
 * Returns 0 if the caller may let `kept` take the place of `replaced`, which may be NULL or `kept`
 * itself; else -errno.
 */
static int may_rename(const struct kept *kept, const struct kept *replaced, unsigned flags,
		      struct caller *caller)
{
	if (flags & ~RENAME_NOREPLACE)
		return -EINVAL;
	if (!kept)
		return -ENOENT;
	if (!caller_owns(caller, kept->attributes->uid))
		return -EPERM;
	if (replaced && (flags & RENAME_NOREPLACE))
		return -EEXIST;
	if (replaced && !caller_owns(caller, replaced->attributes->uid))
		return -EPERM;
	return 0;
}

int kept_rename(struct space *space_, const char *from, const char *to, unsigned flags,
		struct caller *caller)
{
	struct kept_space *space = kept_space_from(space_);
	struct kept *kept = kept_find(space, from);
	struct kept *replaced = kept_find(space, to);
	char *copy;
	int r = may_rename(kept, replaced, flags, caller);

	if (r == -ENOENT && replaced && was_unnamed(space_))
		return 0;
	if (r < 0 || kept == replaced)
		return r;
	copy = strdup(to);
	if (!copy)
		return -ENOMEM;
	begin_unnaming(space_);
	if (replaced)
		kept_unname(space, replaced);
	HASH_DEL(space->kept, kept);
	free(kept->name);
	attributes_touch(&kept->attributes->ctime);
	r = kept_name(space, kept, copy);
	if (r < 0)
		channel_unref(&kept->channel);
	return r;
}
