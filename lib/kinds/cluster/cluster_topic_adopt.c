// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Readers of a topic whose daemon was killed: the next one asks the server for what follows what
 * the reader has. A place has a number of the stream and a count of messages that were missed
 * before it. There are two in the record, the present and the next one, and file_record::mark says
 * which is which, so that a message is taken in one store.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/channel/record.h"
#include "lib/kinds/cluster/cluster_topic.h"

/* Where a reader is. */
struct topic_place {
	uint64_t sequence; /* of the message that comes next, or of a later one */
	uint64_t n_missed;
};

/* file_record::words */
struct topic_words {
	struct topic_place places[2]; /* the present one: [mark % 2] */
	uint64_t pid;
};

_Static_assert(sizeof(struct topic_words) <= FILE_WORDS * sizeof(uint64_t), "file_record");

static struct topic_words *words_of(const struct file *file)
{
	return (struct topic_words *)file->record->words;
}

/* The present place (`n` 0), or the next one (1). */
static struct topic_place *place_of(const struct file *file, unsigned n)
{
	return &words_of(file)->places[(file->record->mark + n) % 2];
}

void cluster_topic_note_begin(struct file *file, uint64_t start, pid_t pid)
{
	words_of(file)->pid = (uint64_t)pid;
	*place_of(file, 0) = (struct topic_place){.sequence = start};
}

/* A message that is older than expected is from a stream that was made anew. */
void cluster_topic_note_next(struct file *file, const struct nats_delivery *message)
{
	const struct topic_place *now = place_of(file, 0);
	uint64_t n_missed = now->n_missed;

	if (message->sequence > now->sequence)
		n_missed += message->sequence - now->sequence;
	*place_of(file, 1) =
		(struct topic_place){.sequence = message->sequence + 1, .n_missed = n_missed};
}

void cluster_topic_note_take(struct file *file)
{
	STATE_ORDER();
	file->record->mark++;
	STATE_ORDER();
}

/* The next place is still the one from before. */
void cluster_topic_note_untake(struct file *file)
{
	STATE_ORDER();
	file->record->mark--;
	STATE_ORDER();
}

uint64_t cluster_topic_position(struct file *file)
{
	return file->record->mark;
}

int cluster_topic_adopt_file(struct file *file)
{
	CLEANUP_FREE struct topic_file *state = calloc(1, sizeof(*state));
	struct subscription *subscription;
	int r;

	if (!state)
		return -ENOMEM;
	if (!file_reads(file)) {
		file->state = TAKE_PTR(state);
		return 0;
	}
	if (cluster_was_lent(file))
		cluster_topic_note_take(file);
	r = subscription_new(file, place_of(file, 0)->sequence, &subscription);
	if (r < 0)
		return r;
	subscription->n_missed = place_of(file, 0)->n_missed;
	subscription->pid = (pid_t)words_of(file)->pid;
	file->state = TAKE_PTR(state);
	cluster_topic_subscribe(file, subscription);
	return 0;
}
