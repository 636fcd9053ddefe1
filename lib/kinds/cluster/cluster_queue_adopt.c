// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Readers of a queue whose daemon was killed. The server only knows that it has delivered a message
 * and waits for the acknowledgement, for ack_wait, from whomever: so the next daemon gives it. What
 * a reader has been given whole is acknowledged (once more, perhaps: that does no harm); what it
 * has been given in part stays its own; and what it was about to be given goes back.
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

void cluster_queue_taken(struct file *file)
{
	STATE_ORDER();
	file->record->mark++;
	STATE_ORDER();
}

uint64_t cluster_queue_position(struct file *file)
{
	return file->record->mark;
}

/* Whether the file gets a message again that its reader has taken, but was not answered with. */
static bool will_return(const struct file *file, const struct journal *journal)
{
	return journal->file == file->id &&
	       (journal->step == JOURNAL_RECEIVE || journal->step == JOURNAL_GIVE) &&
	       journal->before != file->record->mark &&
	       journal_is_again(file->channel->space->host, journal->reader);
}

static void owe(struct readers *readers, const struct nats_delivery *former, bool is_given)
{
	const struct cluster_object *object = readers->object;
	struct nats_delivery *delivery =
		nats_delivery_adopt(object->cluster->link, object->stream, CLUSTER_READERS, former);

	if (delivery)
		readers_owe(readers, delivery, is_given);
}

int cluster_queue_adopt_file(struct file *file)
{
	const struct journal *journal = file->channel->space->host->journal;
	struct readers *readers = &cluster_queue_from(file->channel)->readers;
	struct queue_record *record = record_of(file);
	const struct nats_delivery former = {.sequence = record->sequence,
					     .consumer_sequence = record->consumer_sequence,
					     .n_delivered = record->n_delivered};
	struct queue_file *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	file->state = state;
	if (!record->taken || readers->is_gone)
		return 0;
	if (cluster_was_lent(file))
		cluster_queue_taken(file);
	if (file->record->mark != record->taken) {
		record->taken = 0;
		owe(readers, &former, false);
	} else if (!file->rest.data && !will_return(file, journal)) {
		owe(readers, &former, true);
	} else {
		file->is_unfinished = readers_adopt(readers, &state->taking, &former) == 0;
	}
	return 0;
}
