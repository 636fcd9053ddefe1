// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The journal's entries are plain stores. What they mean is decided only when a daemon has been
 * killed: by the kernel's knowledge of what was answered, and the kinds' counts of what was taken.
 */
#include "lib/channel/journal.h"

#include <errno.h>
#include <string.h>

#include "lib/channel/channel.h"
#include "lib/channel/record.h"

bool journal_is_again(struct host *host, uint64_t request)
{
	return host->is_again && request && host->is_again(host, request);
}

void journal_take_up(struct host *host, uint64_t request)
{
	host->journal->request = request;
	host->journal->is_again = journal_is_again(host, request);
}

void journal_read(struct file *file, uint64_t request, enum journal_step step, size_t size,
		  size_t most)
{
	const struct channel_ops *ops = file->channel->ops;
	struct journal *journal = file->channel->space->host->journal;

	journal->step = JOURNAL_NOTHING;
	STATE_ORDER();
	journal->reader = request;
	journal->file = file->id;
	journal->size = size;
	journal->most = most;
	journal->word = 0;
	if (step == JOURNAL_HAND)
		journal->before = journal->handed;
	else if (step == JOURNAL_REST)
		journal->before = file->rest.offset;
	else
		journal->before = ops->position ? ops->position(file) : 0;
	STATE_ORDER();
	journal->step = step;
	STATE_ORDER();
}

void journal_read_end(struct host *host)
{
	STATE_ORDER();
	host->journal->step = JOURNAL_NOTHING;
	STATE_ORDER();
}

void journal_handed(struct host *host)
{
	STATE_ORDER();
	host->journal->handed = host->journal->before + host->journal->size;
	journal_read_end(host);
}

void journal_write(struct file *file, size_t done)
{
	const struct channel_ops *ops = file->channel->ops;
	struct journal *journal = file->channel->space->host->journal;

	journal->writer = 0;
	STATE_ORDER();
	journal->object = file->channel->id;
	journal->done = done;
	journal->handed = 0;
	journal->accepted = ops->accepted ? ops->accepted(file->channel) : 0;
	journal->place = 0;
	STATE_ORDER();
	journal->writer = journal->request;
	STATE_ORDER();
}

/* The kernel counts requests up by 2. */
static uint64_t *accepted_place(struct journal *journal, uint64_t request)
{
	return &journal->accepted_whole[request / 2 % JOURNAL_ACCEPTED];
}

void journal_accept(struct journal *journal, uint64_t request)
{
	if (request)
		__atomic_store_n(accepted_place(journal, request), request, __ATOMIC_RELEASE);
}

struct journal_note journal_note_of(const struct host *host)
{
	struct journal *journal = host->journal;

	return (struct journal_note){journal, journal->request, journal->is_again};
}

void journal_note(const struct journal_note *note, uint64_t number)
{
	struct journal_object *object =
		&note->journal->objects[note->request / 2 % JOURNAL_OBJECTS];

	if (!note->request)
		return;
	__atomic_store_n(&object->request, 0, __ATOMIC_RELEASE);
	__atomic_store_n(&object->number, number, __ATOMIC_RELEASE);
	__atomic_store_n(&object->request, note->request, __ATOMIC_RELEASE);
}

bool journal_has_noted(const struct journal_note *note, uint64_t number)
{
	const struct journal_object *object =
		&note->journal->objects[note->request / 2 % JOURNAL_OBJECTS];

	return note->request && note->is_again && object->request == note->request &&
	       (!number || object->number == number);
}

void journal_unnote(struct host *host)
{
	const struct journal_note note = journal_note_of(host);
	struct journal_object *object = &note.journal->objects[note.request / 2 % JOURNAL_OBJECTS];

	if (note.request && object->request == note.request)
		__atomic_store_n(&object->request, 0, __ATOMIC_RELEASE);
	STATE_ORDER();
}

void journal_write_end(struct host *host)
{
	STATE_ORDER();
	host->journal->writer = 0;
	STATE_ORDER();
}

void journal_keep(struct host *host, uint64_t *id, uint64_t request, size_t done)
{
	struct write_record *record;

	if (!*id && slots_add(&host->writes, host, id) < 0)
		return;
	record = slots_record(&host->writes, *id);
	record->done = done;
	STATE_ORDER();
	record->request = request;
}

void journal_forget(struct host *host, uint64_t *id)
{
	if (*id)
		slots_remove(&host->writes, *id);
	*id = 0;
}

/* Returns the record of a write; NULL if there is none. */
static struct write_record *find_write(struct host *host, uint64_t request, uint64_t *ret_id)
{
	*ret_id = 0;
	while ((*ret_id = slots_next(&host->writes, *ret_id)) != 0) {
		struct write_record *record = slots_record(&host->writes, *ret_id);

		if (record->request == request)
			return record;
	}
	return NULL;
}

bool journal_has(struct host *host, uint64_t request)
{
	uint64_t id;

	return find_write(host, request, &id);
}

size_t journal_done(struct host *host, uint64_t request)
{
	uint64_t id;
	const struct write_record *record = find_write(host, request, &id);
	size_t done = record ? record->done : 0;

	if (request && *accepted_place(host->journal, request) == request)
		done = SIZE_MAX;
	return done;
}

void journal_resumed(struct host *host)
{
	uint64_t id;

	if (host->journal->is_again && find_write(host, host->journal->request, &id))
		slots_remove(&host->writes, id);
}

/* How many bytes the reader's last step has taken; -EAGAIN: none. They are in host::scratch. */
static ssize_t received(struct host *host, struct file *file)
{
	const struct channel_ops *ops = file->channel->ops;
	struct journal *journal = host->journal;

	if (journal->step == JOURNAL_GIVE)
		return (ssize_t)journal->size;
	if (ops->position)
		return ops->position(file) != journal->before ? (ssize_t)journal->size : -EAGAIN;
	return ops->recall ? ops->recall(file, host->scratch) : -EAGAIN;
}

/*
 * Gives the file what its reader was to get, for when it asks again; or only what goes beyond that
 * if the reader has been answered.
 */
static void return_received(struct host *host, struct file *file, bool is_answered)
{
	ssize_t n = received(host, file);
	size_t given = is_answered ? host->journal->most : 0;

	if (n < 0 || (size_t)n > host->scratch_size || (is_answered && (size_t)n <= given))
		return;
	file_return(file, host->scratch + given, (size_t)n - given);
}

static void adopt_read(struct host *host, bool is_again)
{
	struct journal *journal = host->journal;
	struct file *file = slots_object(&host->files, journal->file);

	if (!file)
		return;
	switch (journal->step) {
	case JOURNAL_RECEIVE:
	case JOURNAL_GIVE:
		return_received(host, file, !is_again);
		break;
	case JOURNAL_TAKE:
		if (!is_again && file->channel->ops->take &&
		    file->channel->ops->position(file) == journal->before)
			file->channel->ops->take(file, journal->size);
		break;
	case JOURNAL_REST:
		if (!is_again)
			file_take_rest(file, journal->before, journal->size);
		break;
	default:
		break;
	}
}

/* Writes into the write's record how much of it is done. */
static void adopt_write(struct host *host, bool reader_is_again)
{
	struct journal *journal = host->journal;
	struct channel *channel = slots_object(&host->objects, journal->object);
	uint64_t done = journal->done, id, accepted;
	struct write_record *record = find_write(host, journal->writer, &id);

	if (!channel)
		return;
	if (journal->step == JOURNAL_HAND && !reader_is_again)
		done += journal->before + journal->size;
	else
		done += journal->handed;
	accepted = channel->ops->accepted ? channel->ops->accepted(channel) : journal->accepted;
	if (accepted != journal->accepted)
		done = channel->traits & CHANNEL_MESSAGES ? UINT64_MAX
							  : done + accepted - journal->accepted;
	if (record && record->done > done)
		done = record->done;
	if (!record && done)
		journal_keep(host, &id, journal->writer, done);
	else if (record)
		record->done = done;
}

/* Drops the records of writes that were answered. */
static void drop_answered(struct host *host)
{
	uint64_t id = 0;

	while ((id = slots_next(&host->writes, id)) != 0) {
		const struct write_record *record = slots_record(&host->writes, id);

		if (!journal_is_again(host, record->request))
			slots_remove(&host->writes, id);
	}
}

void journal_adopt(struct host *host)
{
	struct journal *journal = host->journal;
	bool reader_is_again = journal_is_again(host, journal->reader);

	journal->request = 0;
	/* A topic accepts a message at the latest when its last reader takes it. */
	if (journal->step != JOURNAL_NOTHING)
		adopt_read(host, reader_is_again);
	if (journal->writer && journal_is_again(host, journal->writer))
		adopt_write(host, reader_is_again);
	journal_write_end(host);
	journal_read_end(host);
	drop_answered(host);
}
