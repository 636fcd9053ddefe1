/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a reader of what the daemon serves is at end-of-file: nobody has it open for writing any
 * more, and the reader has seen data or a writer. A reader that came before the first writer waits
 * for it.
 *
 * The kind counts opens for writing in its record, from 1, and leaves file::mark to these
 * functions. If the daemon is killed before it has answered such an open, it comes again, and must
 * not have been counted: its writer is not there yet.
 */
#ifndef IPCFS_ENDING_H
#define IPCFS_ENDING_H

#include <errno.h>

#include "lib/channel/channel.h"
#include "lib/channel/journal.h"
#include "lib/channel/record.h"

/* In the record of the object. */
struct ending_record {
	uint64_t n_opened; /* opens for writing */
	/* The request for the last of them, and what it makes of n_opened. */
	uint64_t opened, n_opened_next;
};

/* file::mark of a reader that has seen data or a writer; else n_opened at its open. */
#define ENDING_SEEN 0

static inline void ending_init(struct ending_record *record)
{
	record->n_opened = 1;
}

/* It counts only once n_opened and n_opened_next are the same, and `opened` says for whom. */
static inline void ending_count(struct ending_record *record, uint64_t request)
{
	record->n_opened_next = record->n_opened + 1;
	STATE_ORDER();
	record->opened = request;
	STATE_ORDER();
	record->n_opened++;
	STATE_ORDER();
}

static inline void ending_note_open(struct file *file, struct ending_record *record)
{
	if (file_writes(file))
		ending_count(record, file->channel->space->host->journal->request);
	file->record->mark = file->channel->n_writers ? ENDING_SEEN : record->n_opened;
}

/* For the next daemon. Fails with -EPROTO if the record can't be right. */
static inline int ending_adopt(struct ending_record *record, struct host *host)
{
	if (record->n_opened == 0)
		return -EPROTO;
	if (record->n_opened > 1 && record->n_opened == record->n_opened_next &&
	    journal_is_again(host, record->opened))
		record->n_opened--;
	STATE_ORDER();
	return 0;
}

static inline void ending_note_data(struct file *file)
{
	file->record->mark = ENDING_SEEN;
}

/* Whether the reader is at end-of-file if there is nothing left to read. */
static inline bool ending_is_due(const struct file *file, const struct ending_record *record)
{
	return file->channel->n_writers == 0 && file->record->mark != record->n_opened;
}

#endif
