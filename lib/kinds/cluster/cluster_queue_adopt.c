// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Readers of a queue whose daemon was killed. The server only knows that it has delivered a message
 * and waits for the acknowledgement, for ack_wait, from whomever: so the next daemon gives it. What
 * a reader has been given whole is acknowledged (once more, perhaps: that does no harm); what it
 * has been given in part stays its own; and what it was about to be given goes back, as does all
 * of which that is not certain.
 *
 * Messages that had not got as far come again after ack_wait. So may one that was acknowledged, if
 * the daemon was killed before that was on its way.
 */
#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/kinds/cluster/cluster_queue.h"

/* file_record::words. file_record::mark counts the messages taken. */
struct queue_record {
	uint64_t sequence, consumer_sequence, n_delivered;
	uint64_t taken; /* the mark with which the file has taken the message; 0: there is none */
	uint64_t given; /* the mark of the last one that has been given whole */
};

_Static_assert(sizeof(struct queue_record) <= FILE_WORDS * sizeof(uint64_t), "file_record");

static struct queue_record *record_of(const struct file *file)
{
	return (struct queue_record *)file->record->words;
}

void cluster_queue_note(struct file *file, const struct nats_delivery *delivery)
{
	struct queue_record *record = record_of(file);

	record->taken = 0;
	STATE_ORDER();
	record->sequence = delivery->sequence;
	record->consumer_sequence = delivery->consumer_sequence;
	record->n_delivered = delivery->n_delivered;
	STATE_ORDER();
	if (delivery->consumer_sequence)
		record->taken = file->record->mark + 1;
}

void cluster_queue_note_taken(struct file *file, bool is_given)
{
	if (is_given)
		record_of(file)->given = file->record->mark + 1;
	STATE_ORDER();
	file->record->mark++;
	STATE_ORDER();
}

void cluster_queue_note_end(struct file *file, bool is_given)
{
	struct queue_record *record = record_of(file);

	if (is_given)
		record->given = file->record->mark;
	else
		record->taken = 0;
	STATE_ORDER();
}

uint64_t cluster_queue_position(struct file *file)
{
	return file->record->mark;
}

/* Whether the file's reader has had the journal's last step, and whether it has been answered. */
static bool had_step(const struct file *file, enum journal_step step, bool is_answered)
{
	struct host *host = file->channel->space->host;

	return host->journal->file == file->id && host->journal->step == step &&
	       journal_is_again(host, host->journal->reader) == !is_answered;
}

/* Whether the file has bytes of the message, or gets them again, that its reader does not have. */
static bool has_rest(const struct file *file)
{
	const struct journal *journal = file->channel->space->host->journal;

	if (had_step(file, JOURNAL_REST, true) && journal->before == file->rest.offset &&
	    journal->size == file->rest.size - file->rest.offset)
		return false;
	return file->rest.data || had_step(file, JOURNAL_GIVE, false) ||
	       (had_step(file, JOURNAL_RECEIVE, false) && journal->before != file->record->mark);
}

/* Whether the reader has all of a message of which nothing is left. */
static bool was_given(const struct file *file)
{
	return record_of(file)->given == file->record->mark || file->rest.data ||
	       had_step(file, JOURNAL_GIVE, true);
}

static void owe(struct readers *readers, const struct nats_delivery *former, bool is_given)
{
	const struct cluster_object *object = readers->object;
	struct nats_delivery *delivery =
		nats_delivery_adopt(object->cluster->link, object->stream, CLUSTER_READERS, former);

	if (delivery)
		readers_owe(readers, delivery, is_given);
}

/* Decides what becomes of the message that the file has taken last. */
static void adopt_message(struct file *file, struct readers *readers)
{
	struct queue_file *state = file->state;
	struct queue_record *record = record_of(file);
	const struct nats_delivery former = {.sequence = record->sequence,
					     .consumer_sequence = record->consumer_sequence,
					     .n_delivered = record->n_delivered};

	if (cluster_was_lent(file))
		cluster_queue_note_taken(file, true);
	if (record->taken == file->record->mark && has_rest(file)) {
		file->is_unfinished = readers_adopt(readers, &state->taking, &former) == 0;
	} else if (record->taken == file->record->mark && was_given(file)) {
		cluster_queue_note_end(file, true);
		owe(readers, &former, true);
	} else {
		cluster_queue_note_end(file, false);
		owe(readers, &former, false);
	}
}

int cluster_queue_adopt_file(struct file *file)
{
	struct readers *readers = &cluster_queue_from(file->channel)->readers;

	file->state = calloc(1, sizeof(struct queue_file));
	if (!file->state)
		return -ENOMEM;
	if (record_of(file)->taken && !readers->is_gone)
		adopt_message(file, readers);
	return 0;
}
