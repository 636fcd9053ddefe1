// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Goes on with the ring of a daemon that was killed. The record and the messages themselves are all
 * there is: what can be counted is counted anew, and checks what is written down.
 */
#include <errno.h>

#include "lib/channel/ring_memory.h"

#define SIZE_LOG2_LEAST 12
#define SIZE_LOG2_MOST  26
#define LOG2_MASK       ((uint64_t)63)

/* Whether the messages can be where the record says. */
static bool has_bounds(const struct ring *ring)
{
	const struct ring_record *record = ring->record;
	uint64_t log2 = record->memory & LOG2_MASK;
	uint64_t used = record->tail_offset - record->head_offset;

	return log2 >= SIZE_LOG2_LEAST && log2 <= SIZE_LOG2_MOST && record->head_offset % 8 == 0 &&
	       record->tail_offset % 8 == 0 && record->tail_offset >= record->head_offset &&
	       used <= (uint64_t)1 << log2 && used <= ring->capacity;
}

/* Takes over the memory, and charges it. */
static int claim(struct ring *ring)
{
	size_t size = (size_t)1 << (ring->record->memory & LOG2_MASK);
	char *memory = state_claim(ring->state, ring->record->memory & ~LOG2_MASK, memory_of(size));
	int r;

	if (!memory)
		return -EPROTO;
	r = user_charge(ring->users, ring->uid, USER_STORED, memory_of(size));
	if (r < 0)
		return r;
	ring->memory = memory;
	ring->marks = (uint64_t *)(memory + size);
	ring->size = size;
	ring->charged = memory_of(size);
	return 0;
}

/* Counts the messages, and checks that one follows the other up to the end. */
static int count_messages(const struct ring *ring, uint64_t *ret_n)
{
	const struct ring_record *record = ring->record;
	uint64_t offset = record->head_offset, n = 0;

	for (; offset < record->tail_offset; n++) {
		size_t size = record_at(ring, offset)->size;

		if (size == 0 || step_of(size) > record->tail_offset - offset)
			return -EPROTO;
		offset += step_of(size);
	}
	*ret_n = n;
	return 0;
}

/*
 * Corrects the numbers, as far as the daemon was killed between two stores: a message that was
 * being dropped is still there, and one that was being appended is not there yet. The rest is what
 * was going to be written next.
 */
static int settle_numbers(struct ring_record *record, uint64_t n)
{
	if (record->head_number + n == record->tail_number + 1)
		record->head_number--;
	else if (record->head_number + n == record->tail_number - 1)
		record->tail_number--;
	if (record->head_number > record->tail_number ||
	    record->tail_number - record->head_number != n)
		return -EPROTO;
	if (record->kept_number + 1 == record->head_number)
		record->kept_number = record->head_number;
	if (record->kept_number == record->tail_number + 1)
		record->kept_number = record->tail_number;
	if (record->kept_number < record->head_number || record->kept_number > record->tail_number)
		return -EPROTO;
	if (n == 0 && record->whole + 1 == record->tail_number)
		record->whole = record->tail_number;
	return record->whole == record->tail_number || record->whole + 1 == record->tail_number
		       ? 0
		       : -EPROTO;
}

/* Finds out what the record does not have. */
static void index_messages(struct ring *ring, size_t *ret_longest)
{
	struct ring_place place = ring->head;

	while (place.number < ring->tail.number) {
		struct record *message = record_at(ring, place.offset);

		message->n_readers = 0;
		if (place.number % MARK_EVERY == 0)
			*mark_of(ring, place.number) = place.offset;
		if (place.number == ring->record->kept_number)
			ring->kept = place;
		if (place.number == ring->record->whole)
			ring->last = place;
		ring->bytes += message->size;
		if (place.number >= ring->record->kept_number)
			ring->bytes_kept += message->size;
		if (*ret_longest < message->size)
			*ret_longest = message->size;
		place_step(ring, &place);
	}
}

static int adopt_messages(struct ring *ring, size_t *ret_longest)
{
	struct ring_record *record = ring->record;
	uint64_t n = 0;
	int r = count_messages(ring, &n);

	if (r == 0)
		r = settle_numbers(record, n);
	if (r < 0) {
		ring_abandon(ring);
		return r;
	}
	ring->head = (struct ring_place){record->head_offset, record->head_number};
	ring->tail = (struct ring_place){record->tail_offset, record->tail_number};
	ring->kept = ring->tail;
	ring->unawaited = ring->head;
	index_messages(ring, ret_longest);
	return 0;
}

/* There are no messages, because there is no memory. */
static int adopt_empty(struct ring *ring)
{
	struct ring_record *record = ring->record;

	if (record->whole > record->tail_number || record->whole + 1 < record->tail_number ||
	    record->tail_offset % 8 != 0)
		return -EPROTO;
	ring->tail = (struct ring_place){record->tail_offset, record->tail_number};
	ring->head = ring->kept = ring->unawaited = ring->tail;
	note_kept(ring);
	note_head(ring);
	record->whole = record->tail_number;
	return 0;
}

int ring_adopt(struct ring *ring, size_t *ret_longest)
{
	int r;

	*ret_longest = 0;
	if (!ring->record->memory)
		return adopt_empty(ring);
	r = has_bounds(ring) ? claim(ring) : -EPROTO;
	return r < 0 ? r : adopt_messages(ring, ret_longest);
}

void ring_abandon(struct ring *ring)
{
	user_uncharge(ring->users, ring->uid, USER_STORED, ring->charged);
	ring->charged = 0;
}

int ring_rejoin(struct ring *ring, struct ring_reader *reader, struct ring_reader_record *record)
{
	uint64_t number = record->joined + record->taken + record->missed;

	/* The daemon was killed while it took a message back. */
	if (number == ring->tail.number + 1) {
		record->joined--;
		number--;
	}
	if (number > ring->tail.number)
		return -EPROTO;
	*reader = (struct ring_reader){.next.number = number, .record = record};
	if (number >= ring->head.number)
		reader->next = find_place(ring, &ring->head, number);
	(*count_at(ring, number < ring->head.number ? &ring->head : &reader->next))++;
	ring->n_readers++;
	return 0;
}

bool ring_is_last(const struct ring *ring, size_t size)
{
	return record_at(ring, ring->last.offset)->size == size;
}

void ring_take_back(struct ring *ring)
{
	const struct record *message = record_at(ring, ring->last.offset);

	ring->n_at_tail += message->n_readers;
	ring->bytes -= message->size;
	if (ring->kept.number <= ring->last.number) {
		ring->bytes_kept -= message->size;
	} else {
		ring->kept = ring->last;
		note_kept(ring);
	}
	ring->tail = ring->last;
	ring->unawaited = ring->head;
	/* In this order, the message is taken back also if only the first is written. */
	ring->record->tail_offset = ring->tail.offset;
	STATE_ORDER();
	ring->record->tail_number = ring->tail.number;
}

void ring_step_back(struct ring *ring, struct ring_reader *reader)
{
	if (reader->next.number <= ring->tail.number)
		return;
	reader->next = ring->tail;
	reader->record->joined--;
}
