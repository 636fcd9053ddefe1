// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What becomes of an event when the daemon is killed. The kernel keeps the counter, but does not
 * tell whether a write was made. So the record has the sum that the counter should have, and the
 * journal what is being added to it: the next daemon compares both with the counter.
 */
#include "lib/kinds/event.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"

void event_save(struct channel *channel, struct object_record *record)
{
	record->fds[0] = event_fd(event_from(channel));
}

uint64_t event_accepted(struct channel *channel)
{
	return *event_word(event_from(channel), EVENT_WRITTEN);
}

/* The kernel took the value and gave it to the journal in one step. A value is never 0. */
ssize_t event_recall(struct file *file, void *data)
{
	const struct host *host = file->channel->space->host;
	uint64_t value = host->journal->word;

	return value ? event_print(data, host->scratch_size, value) : -EAGAIN;
}

/*
 * Counts the write that the former daemon was making, if it was made. Unless native programs use
 * the counter, the counter still has its sum then, or has grown by what was to be added. If it is
 * neither, nobody can tell: the write counts as made, rather than being made twice.
 */
static void judge_write(const struct host *host, struct object_record *record, uint64_t value)
{
	const struct journal *journal = host->journal;

	if (journal->writer && journal->place &&
	    slots_record(&host->objects, journal->object) == record &&
	    journal->accepted == record->words[EVENT_WRITTEN] && value != record->words[EVENT_SUM])
		record->words[EVENT_WRITTEN]++;
	record->words[EVENT_SUM] = value;
}

int event_adopt(struct space *space, struct object_record *record, struct channel **ret_channel)
{
	struct user_table *users = &space->host->users;
	CLEANUP_FREE struct event *event = calloc(1, sizeof(*event));
	int fd = record->fds[0];
	uint64_t value = 0;
	int r;

	if (!event)
		return -ENOMEM;
	if (event_look(fd, &value, &event->is_semaphore) < 0)
		return -EPROTO;
	r = user_charge(users, record->charged, USER_DESCRIPTORS, 1);
	if (r < 0)
		return r;
	r = kept_adopt(&event->kept, space, CHANNEL_STREAM, record);
	if (r < 0) {
		user_uncharge(users, record->charged, USER_DESCRIPTORS, 1);
		return r;
	}
	readiness_init(&event->counter, &event->kept.channel);
	event->counter.source.fd = fd;
	judge_write(space->host, record, value);
	*ret_channel = &TAKE_PTR(event)->kept.channel;
	return 0;
}
