/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a reader of what the daemon serves is at end-of-file: nobody has it open for writing any
 * more, and the reader has seen data or a writer. A reader that came before the first writer waits
 * for it.
 *
 * The kind counts opens for writing in `n_opened`, from 1, and leaves file::mark to these
 * functions.
 */
#ifndef IPCFS_ENDING_H
#define IPCFS_ENDING_H

#include "lib/channel/channel.h"
#include "lib/channel/record.h"

/* file::mark of a reader that has seen data or a writer; else n_opened at its open. */
#define ENDING_SEEN 0

static inline void ending_note_open(struct file *file, uint64_t *n_opened)
{
	if (file_writes(file))
		(*n_opened)++;
	file->record->mark = file->channel->n_writers ? ENDING_SEEN : *n_opened;
}

static inline void ending_note_data(struct file *file)
{
	file->record->mark = ENDING_SEEN;
}

/* Whether the reader is at end-of-file if there is nothing left to read. */
static inline bool ending_is_due(const struct file *file, uint64_t n_opened)
{
	return file->channel->n_writers == 0 && file->record->mark != n_opened;
}

#endif
