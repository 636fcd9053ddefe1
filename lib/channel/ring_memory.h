/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For ring.c and ring_adopt.c alone: how messages lie in the memory of a ring, and the memory
 * itself.
 *
 * A message is a record: its size, a count, and its bytes, in a multiple of 8 bytes. Behind the
 * records, the same memory has the marks (ring::marks).
 */
#ifndef IPCFS_RING_MEMORY_H
#define IPCFS_RING_MEMORY_H

#include "lib/base/state.h"
#include "lib/channel/ring.h"

#define MARK_EVERY 64
/* The shortest messages take 16 bytes each. Twice as many marks as those need is a power of 2. */
#define N_MARKS(size) ((size) / (16 * MARK_EVERY) * 2)

struct record {
	uint32_t size;
	uint32_t n_readers; /* readers whose next message it is */
	char data[];        /* to be continued at the beginning of the memory */
};

/* What a message takes in the ring. */
static inline size_t step_of(size_t size)
{
	return (sizeof(struct record) + size + 7) & ~(size_t)7;
}

/* Records are aligned, so that the end of the memory never cuts their first two fields. */
static inline struct record *record_at(const struct ring *ring, uint64_t offset)
{
	return (struct record *)(ring->memory + (offset & (ring->size - 1)));
}

static inline uint64_t *mark_of(const struct ring *ring, uint64_t number)
{
	return &ring->marks[number / MARK_EVERY & (N_MARKS(ring->size) - 1)];
}

static inline bool is_empty(const struct ring *ring)
{
	return ring->head.number == ring->tail.number;
}

static inline void place_step(const struct ring *ring, struct ring_place *place)
{
	place->offset += step_of(record_at(ring, place->offset)->size);
	place->number++;
}

/* Where the readers at this place are counted. */
static inline uint32_t *count_at(struct ring *ring, const struct ring_place *place)
{
	if (place->number == ring->tail.number)
		return &ring->n_at_tail;
	return &record_at(ring, place->offset)->n_readers;
}

/* Returns the place of a message, which is not before `from`. */
static inline struct ring_place find_place(const struct ring *ring, const struct ring_place *from,
					   uint64_t number)
{
	uint64_t marked = number / MARK_EVERY * MARK_EVERY;
	struct ring_place place = *from;

	if (number == ring->tail.number)
		return ring->tail;
	if (marked > place.number)
		place = (struct ring_place){*mark_of(ring, marked), marked};
	while (place.number < number)
		place_step(ring, &place);
	return place;
}

static inline void note_head(const struct ring *ring)
{
	STATE_ORDER();
	ring->record->head_number = ring->head.number;
	STATE_ORDER();
	ring->record->head_offset = ring->head.offset;
	STATE_ORDER();
}

static inline void note_tail(const struct ring *ring)
{
	STATE_ORDER();
	ring->record->tail_number = ring->tail.number;
	STATE_ORDER();
	ring->record->tail_offset = ring->tail.offset;
	STATE_ORDER();
}

static inline void note_kept(const struct ring *ring)
{
	ring->record->kept_number = ring->kept.number;
	STATE_ORDER();
}

/* What is allocated for a ring of this size. */
static inline size_t memory_of(size_t size)
{
	return size + N_MARKS(size) * sizeof(uint64_t);
}

/* Makes the memory at least `least` bytes large. Fails with -ENOBUFS or -ENOMEM. */
int ring_grow(struct ring *ring, size_t least);
/* Whether the capacity and the user's limit allow memory of at least this size. */
bool ring_may_grow(const struct ring *ring, size_t least);
/* Frees the memory of a ring without messages. */
void ring_free_memory(struct ring *ring);

#endif
