// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What info/ shows of a topic. A user sees their own files among the topic's readers; whoever has
 * CAP_SYS_PTRACE sees all, as in `peers`. Everyone who may read the topic sees how far behind the
 * slowest reader is, because with full=wait that is what writers wait for.
 */
#include "lib/kinds/topic/topic.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/told_readers.h"

/* The most that a peek shows. */
#define PEEK_MESSAGES 16384
#define PEEK_BYTES    ((size_t)1 << 20)

static struct told_reader list_one(const struct topic *topic, const struct topic_reader *reader)
{
	return (struct told_reader){
		.pid = reader->record->pid,
		.behind = ring_behind(&topic->ring, &reader->place),
		.missed = ring_missed(&topic->ring, &reader->place) + topic->record->n_dropped -
			  reader->record->n_dropped,
	};
}

/* Lists the readers that the caller may see. */
static void add_readers(const struct topic *topic, struct caller *caller, struct row *row)
{
	bool sees_all = caller_has(caller, CAP_SYS_PTRACE);
	CLEANUP_FREE struct told_reader *readers = NULL;
	const struct topic_reader *reader;
	size_t n = 0;

	if (topic->readers)
		readers = calloc(topic->ring.n_readers, sizeof(*readers));
	if (!readers)
		return;
	DL_FOREACH(topic->readers, reader) {
		if (sees_all || caller->uid == reader->file->uid)
			readers[n++] = list_one(topic, reader);
	}
	told_readers_add(row, readers, n);
}

/* The oldest message that a reader has not read is the slowest reader's next one. */
static uint64_t most_behind(const struct topic *topic)
{
	const struct topic_reader *reader;
	uint64_t most = 0;

	if (topic->ring.n_at_tail == topic->ring.n_readers)
		return 0;
	DL_FOREACH(topic->readers, reader) {
		uint64_t behind = ring_behind(&topic->ring, &reader->place);

		if (most < behind)
			most = behind;
	}
	return most;
}

void topic_status(struct channel *channel, struct caller *caller, struct row *row)
{
	struct topic *topic = topic_from(channel);
	const struct ring *ring = &topic->ring;
	char keep[TOPIC_KEEP_TEXT];
	struct stat attr = {0};

	row_add_time(row, "created", &topic->kept.attributes->btime);
	kept_stat(&topic->kept, &attr);
	if (caller_may(caller, &attr, R_OK)) {
		row_add_number(row, "messages", ring_messages(ring));
		row_add_bytes(row, "bytes", ring->bytes);
		row_add_number(row, "kept", ring_n_kept(ring));
		row_add_number(row, "sent", ring->tail.number + topic->record->n_dropped);
		row_add_number(row, "dropped", topic->record->n_dropped);
	}
	row_add_bytes(row, "capacity", ring->capacity);
	topic_keep_text(&ring->keep, keep);
	row_add_text(row, "keep", keep);
	row_add_word(row, "full", topic_full_words[topic->full]);
	row_add_word(row, "eof", topic_eof_words[topic->eof]);
	if (row->is_brief || !caller_may(caller, &attr, R_OK))
		return;
	row_add_number(row, "behind", most_behind(topic));
	add_readers(topic, caller, row);
}

/* Returns how many of the last kept messages a peek shows. */
static uint64_t count_shown(const struct ring *ring)
{
	struct ring_place place = ring_kept(ring, PEEK_MESSAGES);
	uint64_t n_shown = ring->tail.number - place.number;
	struct ring_place next = place;
	struct iovec iov[RING_PIECES];
	uint64_t bytes = 0;
	ssize_t size;
	int n;

	while ((size = ring_at(ring, &next, iov, &n)) > 0)
		bytes += (uint64_t)size;
	for (; bytes > PEEK_BYTES; n_shown--)
		bytes -= (uint64_t)ring_at(ring, &place, iov, &n);
	return n_shown;
}

int topic_peek(struct channel *channel, struct caller *caller, FILE *out)
{
	const struct ring *ring = &topic_from(channel)->ring;
	struct ring_place place = ring_kept(ring, count_shown(ring));
	struct iovec iov[RING_PIECES];
	int n;

	while (ring_at(ring, &place, iov, &n) > 0)
		for (int i = 0; i < n; i++)
			fwrite(iov[i].iov_base, 1, iov[i].iov_len, out);
	return 0;
}
