// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Readers of a value whose daemon was killed. The record says which revision a reader was given
 * last, and whether it was given the end after that. A question that was under way is asked again.
 *
 * There are two revisions in the record, the last one and the next, and file_record::mark says
 * which is which, so that a value is taken in one store. An end has no bytes, so no journal: it is
 * noted for which request it was, which comes again if it was not answered.
 */
#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"
#include "lib/kinds/cluster/value_reader.h"

/* file_record::words */
struct value_words {
	uint64_t given[2];    /* revisions plus 1; [mark % 2] is the last; 0: there is none */
	uint64_t end_request; /* that was given the end */
	uint64_t end_mark;    /* when it was; written last */
};

_Static_assert(sizeof(struct value_words) <= FILE_WORDS * sizeof(uint64_t), "file_record");

static struct value_words *words_of(const struct file *file)
{
	return (struct value_words *)file->record->words;
}

void value_note_next(const struct file *file, uint64_t revision)
{
	words_of(file)->given[(file->record->mark + 1) % 2] = revision + 1;
}

void value_note_take(const struct file *file)
{
	STATE_ORDER();
	file->record->mark++;
	STATE_ORDER();
}

/* The other revision is still the one from before. */
void value_note_untake(const struct file *file)
{
	STATE_ORDER();
	file->record->mark--;
	STATE_ORDER();
}

void value_note_end(const struct file *file)
{
	struct value_words *words = words_of(file);

	words->end_request = file->channel->space->host->journal->request;
	STATE_ORDER();
	words->end_mark = file->record->mark;
}

uint64_t cluster_value_position(struct file *file)
{
	return file->record->mark;
}

static bool has_ended(const struct file *file)
{
	const struct value_words *words = words_of(file);

	return words->end_mark == file->record->mark &&
	       !journal_is_again(file->channel->space->host, words->end_request);
}

int cluster_value_adopt_file(struct file *file)
{
	CLEANUP_FREE struct value_file *state = calloc(1, sizeof(*state));
	uint64_t given;
	int r = state ? 0 : -ENOMEM;

	if (r == 0 && file_reads(file))
		r = value_reader_new(file, &state->reader);
	if (r < 0)
		return r;
	if (state->reader) {
		if (cluster_was_lent(file))
			value_note_take(file);
		given = words_of(file)->given[file->record->mark % 2];
		state->reader->has_given = given > 0;
		state->reader->given = given - 1;
		if (given && !has_ended(file))
			state->reader->phase = VALUE_END;
		DL_APPEND(cluster_value_from(file->channel)->readers, state->reader);
	}
	file->state = TAKE_PTR(state);
	return 0;
}
