// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The count of bytes accepted is the channel's, and what follows from it is the file's. So that
 * both change at once, the file's part is written into the channel's record first: it counts as
 * soon as the count is what it says there.
 */
#include "lib/tree/ctl_opener.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/channel/journal.h"
#include "lib/channel/opener.h"
#include "lib/channel/record.h"

/* object_record::words */
enum { ACCEPTED, NEXT_FILE, NEXT_ACCEPTED, NEXT_LINES, NEXT_TAKEN, NEXT_TAIL };
/* file_record::words, behind those of the opener: the offset of the block. */
enum { BLOCK = OPENER_WORDS };

_Static_assert(NEXT_TAIL < OBJECT_WORDS && BLOCK < FILE_WORDS, "words of records");

static struct state *state_of(const struct file *file)
{
	return file->channel->space->host->state;
}

/* Fills in a new block. */
static int record_new(struct file *file, struct ctl_opener *opener)
{
	const struct caller *caller = &opener->caller;
	struct ctl_record *record = state_alloc(state_of(file), sizeof(*record));

	if (!record)
		return -ENOMEM;
	memset(record, 0, offsetof(struct ctl_record, tail));
	record->umask = caller->umask;
	record->has_queue_limit = caller->has_queue_limit;
	record->queue_limit = caller->queue_limit;
	record->seen = caller->seen;
	record->home = caller->home;
	record->started = caller->started;
	STATE_ORDER();
	opener->record = record;
	file->record->words[BLOCK] = state_offset(state_of(file), record);
	return 0;
}

int ctl_opener_new(struct file *file, struct caller *caller)
{
	CLEANUP_FREE struct ctl_opener *opener = calloc(1, sizeof(*opener));
	int r;

	if (!opener)
		return -ENOMEM;
	opener->resumed_at = UINT64_MAX;
	opener->caller =
		(struct caller){.uid = caller->uid, .gid = caller->gid, .pid = caller->pid};
	/* Read now, while the process is still there. */
	r = host_know(file->channel->space->host, &opener->caller);
	if (r < 0) {
		caller_fini(&opener->caller);
		return r;
	}
	r = opener_keep(file, &opener->caller);
	if (r < 0)
		return r;
	r = record_new(file, opener);
	if (r < 0) {
		opener_forget(file, &opener->caller);
		return r;
	}
	file->state = TAKE_PTR(opener);
	return 0;
}

/* Takes over the block, and completes what the former daemon was writing into it. */
static int record_adopt(struct file *file, struct ctl_opener *opener)
{
	const uint64_t *words = file->channel->record->words;
	struct ctl_record *record;

	record = state_claim(state_of(file), file->record->words[BLOCK], sizeof(*record));
	if (!record)
		return -EPROTO;
	if (words[NEXT_FILE] == file->id && words[NEXT_ACCEPTED] == words[ACCEPTED])
		record->progress = (struct ctl_progress){words[NEXT_LINES], words[NEXT_TAKEN],
							 words[NEXT_TAIL], false};
	if (record->progress.tail_size >= COMMAND_MAX)
		return -EPROTO;
	opener->record = record;
	opener->resumed_at = record->progress.n_taken;
	opener->caller.umask = (mode_t)record->umask;
	opener->caller.has_queue_limit = record->has_queue_limit;
	opener->caller.queue_limit = record->queue_limit;
	opener->caller.seen = (unsigned)record->seen;
	opener->caller.home = (unsigned)record->home;
	opener->caller.started = record->started;
	return 0;
}

int ctl_opener_adopt(struct file *file)
{
	CLEANUP_FREE struct ctl_opener *opener = calloc(1, sizeof(*opener));
	int r = opener ? opener_adopt(file, &opener->caller) : -ENOMEM;

	if (r < 0)
		return r;
	r = record_adopt(file, opener);
	if (r < 0) {
		opener_forget(file, &opener->caller);
		return r;
	}
	file->state = TAKE_PTR(opener);
	return 0;
}

void ctl_opener_free(struct file *file)
{
	struct ctl_opener *opener = file->state;

	file->record->words[BLOCK] = 0;
	STATE_ORDER();
	state_release(state_of(file), opener->record, sizeof(*opener->record));
	opener_forget(file, &opener->caller);
	free(opener);
}

void ctl_opener_advance(struct file *file, const struct ctl_progress *next, size_t n)
{
	struct ctl_record *record = ((struct ctl_opener *)file->state)->record;
	uint64_t *words = file->channel->record->words;
	struct ctl_progress progress = *next;

	progress.n_taken = record->progress.n_taken + n;
	progress.has_made = false;
	journal_unnote(file->channel->space->host);
	words[NEXT_FILE] = 0;
	STATE_ORDER();
	words[NEXT_LINES] = progress.n_lines;
	words[NEXT_TAKEN] = progress.n_taken;
	words[NEXT_TAIL] = progress.tail_size;
	words[NEXT_ACCEPTED] = words[ACCEPTED] + n;
	STATE_ORDER();
	words[NEXT_FILE] = file->id;
	STATE_ORDER();
	words[ACCEPTED] += n;
	STATE_ORDER();
	record->progress = progress;
}

bool ctl_opener_keep(struct file *file, const char *line, size_t length)
{
	struct ctl_record *record = ((struct ctl_opener *)file->state)->record;
	struct ctl_progress next = record->progress;

	if (next.tail_size + length >= COMMAND_MAX)
		return false;
	memcpy(record->tail + next.tail_size, line, length);
	next.tail_size += length;
	ctl_opener_advance(file, &next, length);
	return true;
}

bool ctl_opener_is_resumed(const struct file *file)
{
	const struct ctl_opener *opener = file->state;
	struct host *host = file->channel->space->host;

	return opener->resumed_at == opener->record->progress.n_taken &&
	       journal_is_again(host, host->journal->request);
}

uint64_t ctl_opener_accepted(struct channel *channel)
{
	return channel->record->words[ACCEPTED];
}
