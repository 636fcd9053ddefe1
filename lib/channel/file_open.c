// SPDX-License-Identifier: GPL-2.0-or-later
/* How open files begin, in this daemon or in a former one, and how they end. */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/channel/channel.h"
#include "lib/channel/file_rest.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/channel/tap.h"

static void file_count(struct file *file, int n)
{
	struct channel *channel = file->channel;

	channel->n_files += (unsigned)n;
	if (file_reads(file))
		channel->n_readers += (unsigned)n;
	if (file_writes(file))
		channel->n_writers += (unsigned)n;
}

/* Gives the file its record. */
static int file_remember(struct file *file, const struct selector *selector)
{
	struct host *host = file->channel->space->host;
	struct file_record *record;
	int r = slots_add(&host->files, file, &file->id);

	if (r < 0)
		return r;
	record = file->record = slots_record(&host->files, file->id);
	record->uid = file->uid;
	record->gid = file->gid;
	record->flags = file->flags;
	record->fd = -1;
	record->number = selector->is_set ? selector->value : RECORD_NO_NUMBER;
	STATE_ORDER();
	record->object = file->channel->id;
	return 0;
}

/* Gives the file and its channel their records, and has the kind open it. */
static int file_begin(struct file *file, const struct selector *selector, struct caller *caller)
{
	struct channel *channel = file->channel;
	int r = channel_remember(channel);

	if (r == 0)
		r = file_remember(file, selector);
	if (r < 0)
		return r;
	r = channel->ops->open(file, caller);
	if (r < 0) {
		slots_remove(&channel->space->host->files, file->id);
		return r;
	}
	channel_save(channel);
	return 0;
}

int channel_open(struct channel *channel, int flags, const struct selector *selector,
		 struct caller *caller, struct file **ret_file)
{
	struct user_table *users = &channel->space->host->users;
	CLEANUP_FREE struct file *file = calloc(1, sizeof(*file));
	int r;

	if (!channel->ops->open)
		return -EISDIR;
	if (!file)
		return -ENOMEM;
	r = space_check_home(channel->space, caller);
	if (r == 0)
		r = user_charge(users, caller->uid, USER_FILES, 1);
	if (r < 0)
		return r;
	file->channel = channel_ref(channel);
	file->uid = caller->uid;
	file->gid = caller->gid;
	file->flags = flags;
	file->is_stream = channel->service == CHANNEL_STREAM;
	file_count(file, 1);
	traffic_begin(&channel->traffic);
	r = file_begin(file, selector, caller);
	if (r < 0) {
		file_count(file, -1);
		channel_unref(channel);
		user_uncharge(users, caller->uid, USER_FILES, 1);
		/*
		 * The daemon's descriptor table is full. To the caller, that means the system's
		 * table.
		 */
		return r == -EMFILE ? -ENFILE : r;
	}
	*ret_file = TAKE_PTR(file);
	return 0;
}

/* What was written of the rest stays in the record, if the file may yet be adopted. */
static void undo_adoption(struct file *file, int error)
{
	struct channel *channel = file->channel;

	file_count(file, -1);
	if (error != -ENOMEM)
		rest_drop(file);
	user_uncharge(&channel->space->host->users, file->uid, USER_FILES, 1);
	channel_unref(channel);
}

int file_adopt(struct host *host, uint64_t id, struct file **ret_file)
{
	struct file_record *record = slots_record(&host->files, id);
	bool is_free = record && !slots_object(&host->files, id);
	struct channel *channel = is_free ? slots_object(&host->objects, record->object) : NULL;
	CLEANUP_FREE struct file *file = channel ? calloc(1, sizeof(*file)) : NULL;
	int r;

	if (!file)
		return channel ? -ENOMEM : -EPROTO;
	r = user_charge(&host->users, record->uid, USER_FILES, 1);
	if (r < 0)
		return r;
	file->id = id;
	file->record = record;
	file->channel = channel_ref(channel);
	file->uid = record->uid;
	file->gid = record->gid;
	file->flags = record->flags;
	file->is_stream = channel->service == CHANNEL_STREAM;
	rest_adopt(file);
	file_count(file, 1);
	traffic_begin(&channel->traffic);
	r = channel->ops->adopt_file ? channel->ops->adopt_file(file) : 0;
	if (r < 0) {
		undo_adoption(file, r);
		return r;
	}
	slots_set_object(&host->files, id, file);
	*ret_file = TAKE_PTR(file);
	return 0;
}

void channel_release(struct file *file)
{
	struct channel *channel;

	if (!file)
		return;
	channel = file->channel;
	channel_watch(file, NULL, NULL);
	file_finish(file, false);
	rest_drop(file);
	file_count(file, -1);
	if (channel->ops->release)
		channel->ops->release(file);
	channel_save(channel);
	slots_remove(&channel->space->host->files, file->id);
	if (channel->tap)
		tap_look(channel);
	user_uncharge(&channel->space->host->users, file->uid, USER_FILES, 1);
	free(file);
	channel_unref(channel);
}
