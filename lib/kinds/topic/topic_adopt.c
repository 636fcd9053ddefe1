// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Topics of a daemon that was killed. The ring and the readers' places are in records that they
 * keep themselves. What is being written comes again: if the message is in the ring already, some
 * readers may have it, and the write goes on with it (topic.c). A message counts as accepted when
 * that is no longer possible.
 */
#include "lib/kinds/topic/topic.h"

#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"

#define EOF_SHIFT 8

_Static_assert(sizeof(struct topic_record) <= OBJECT_WORDS * sizeof(uint64_t), "object_record");
_Static_assert(sizeof(struct topic_reader_record) <= FILE_WORDS * sizeof(uint64_t), "file_record");

void topic_save(struct channel *channel, struct object_record *record)
{
	struct topic *topic = topic_from(channel);

	topic->record->keep = topic_keep_amount(&topic->ring.keep);
	topic->record->modes = topic->full | (uint64_t)topic->eof << EOF_SHIFT;
	STATE_ORDER();
	topic->record->capacity = topic->ring.capacity;
}

uint64_t topic_position(struct file *file)
{
	const struct topic_reader *reader = topic_reader_of(file);

	return reader ? reader->record->place.taken : 0;
}

uint64_t topic_accepted(struct channel *channel)
{
	const struct topic_record *record = topic_from(channel)->record;

	return record->ring.whole + record->n_dropped;
}

static int adopt_settings(struct topic *topic)
{
	const struct topic_record *record = topic->record;
	uint64_t full = record->modes & ((1U << EOF_SHIFT) - 1), eof = record->modes >> EOF_SHIFT;

	if (record->capacity < RING_CAPACITY_LEAST || record->capacity > RING_CAPACITY_MOST ||
	    (record->keep & ~PARAMETER_IS_SIZE) > RING_CAPACITY_MOST || full > FULL_DROP_NEWEST ||
	    eof > EOF_AUTO)
		return -EPROTO;
	topic->full = (enum topic_full)full;
	topic->eof = (enum topic_eof)eof;
	return 0;
}

static int adopt_ring(struct topic *topic, struct host *host, struct object_record *record)
{
	struct topic_record *words = topic->record;
	size_t longest;
	int r = adopt_settings(topic);

	if (r == 0)
		r = ending_adopt(&words->ending, host);
	if (r < 0)
		return r;
	ring_init(&topic->ring,
		  &(struct ring_owner){.state = host->state,
				       .users = &host->users,
				       .uid = record->charged,
				       .record = &words->ring},
		  words->capacity);
	topic->ring.keep = topic_keep_from(words->keep);
	r = ring_adopt(&topic->ring, &longest);
	if (r < 0)
		return r;
	if (record->message_max > words->capacity)
		record->message_max = words->capacity;
	if (record->message_max < longest)
		record->message_max = longest;
	return 0;
}

/*
 * Notes the write that the ring's last message is from. Until it has come again, no other message
 * can be appended: journal_has() then says that it goes first.
 */
static void note_writer(struct topic *topic, struct host *host, struct object_record *record)
{
	const struct journal *journal = host->journal;
	uint64_t id = 0;

	if (!ring_is_unfinished(&topic->ring) || !journal->writer ||
	    slots_record(&host->objects, journal->object) != record ||
	    !journal_is_again(host, journal->writer))
		return;
	topic->writer = journal->writer;
	if (!journal_has(host, topic->writer))
		journal_keep(host, &id, topic->writer, 0);
}

int topic_adopt(struct space *space, struct object_record *record, struct channel **ret_channel)
{
	CLEANUP_FREE struct topic *topic = calloc(1, sizeof(*topic));
	int r;

	if (!topic)
		return -ENOMEM;
	topic->record = (struct topic_record *)record->words;
	r = record->is_kept ? adopt_ring(topic, space->host, record) : -EPROTO;
	if (r < 0)
		return r;
	r = kept_adopt(&topic->kept, space, CHANNEL_STREAM, record);
	if (r < 0) {
		ring_abandon(&topic->ring);
		return r;
	}
	note_writer(topic, space->host, record);
	*ret_channel = &TAKE_PTR(topic)->kept.channel;
	return 0;
}

int topic_adopt_file(struct file *file)
{
	struct topic *topic = topic_from(file->channel);
	CLEANUP_FREE struct topic_reader *reader = NULL;
	int r;

	if (!file_reads(file))
		return 0;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->record = (struct topic_reader_record *)file->record->words;
	r = ring_rejoin(&topic->ring, &reader->place, &reader->record->place);
	if (r == 0)
		topic_add_reader(topic, TAKE_PTR(reader), file);
	return r;
}
