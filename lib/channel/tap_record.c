// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What outlives the daemon of those who read a tap. What passes is counted in the object's record,
 * and how much of it a reader has been told, in the file's. The difference is what the next daemon
 * tells the reader it has missed, because the ring is not there any more.
 */
#include <errno.h>

#include "lib/channel/record.h"
#include "lib/channel/tapped.h"

/* file_record::words */
enum {
	TARGET, /* the id of the object */
	/*
	 * object_record::tapped as far as the reader has been told; or when the object has ended,
	 * HAS_ENDED and how much the reader has not read.
	 */
	TOLD,
	REST, /* the offset of tap_reader::rest; 0: there is none */
	PART, /* its size, and below it, how much of it was read */
};

#define HAS_ENDED ((uint64_t)1 << 63)

_Static_assert(PART < FILE_WORDS, "words of a file");

uint64_t tap_count_missed(const struct tap_reader *reader)
{
	const struct tap *tap = reader->tap;

	return ring_missed(&tap->ring, &reader->place) + tap->lost - reader->lost_before +
	       reader->missed_before;
}

void tap_save(const struct tap_reader *reader)
{
	const struct tap *tap = reader->tap;
	const struct remainder *rest = &reader->rest;
	uint64_t *words = reader->file->record->words;
	uint64_t unread =
		ring_behind(&tap->ring, &reader->place) + tap_count_missed(reader) - reader->told;

	if (tap->channel)
		words[TARGET] = tap->channel->id;
	words[PART] = (uint64_t)rest->size << 32 | rest->offset;
	STATE_ORDER();
	words[REST] = state_offset(tap->taps->host->state, rest->data);
	words[TOLD] = tap->channel ? tap->noted - unread : HAS_ENDED | unread;
	STATE_ORDER();
}

uint64_t tap_position(const struct file *file)
{
	const uint64_t *words = file->record->words;

	return words[TOLD] + (words[PART] << 32);
}

struct channel *tap_target(const struct file *file)
{
	const uint64_t *words = file->record->words;
	struct channel *target = NULL;

	if (!(words[TOLD] & HAS_ENDED))
		target = slots_object(&file->channel->space->host->objects, words[TARGET]);
	return target && target->traits & CHANNEL_HAS_TAP ? target : NULL;
}

/* What the reader had not read. Of an object that is lost, nobody knows. */
static uint64_t count_unread(const struct file *file, const struct channel *target)
{
	uint64_t told = file->record->words[TOLD];

	if (told & HAS_ENDED)
		return told & ~HAS_ENDED;
	return target && target->record->tapped > told ? target->record->tapped - told : 0;
}

int tap_restore(struct tap_reader *reader, const struct channel *target)
{
	const uint64_t *words = reader->file->record->words;
	struct host *host = reader->file->channel->space->host;
	size_t size = words[PART] >> 32, offset = (uint32_t)words[PART];

	reader->missed_before = count_unread(reader->file, target);
	reader->has_turn = reader->missed_before;
	if (!words[REST])
		return 0;
	if (offset >= size)
		return -EPROTO;
	reader->rest = (struct remainder){.data = state_claim(host->state, words[REST], size)};
	if (!reader->rest.data)
		return -EPROTO;
	reader->rest.size = size;
	reader->rest.offset = offset;
	user_charge(&host->users, reader->file->uid, USER_BYTES, size);
	return 0;
}

void tap_drop_rest(struct tap_reader *reader)
{
	struct host *host = reader->file->channel->space->host;

	reader->file->record->words[REST] = 0;
	STATE_ORDER();
	user_uncharge(&host->users, reader->file->uid, USER_BYTES, reader->rest.size);
	state_release(host->state, reader->rest.data, reader->rest.size);
	reader->rest = (struct remainder){0};
}
