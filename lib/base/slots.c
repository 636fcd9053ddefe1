// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chunk n begins at index (2^n - 1) * CHUNK_FIRST and has 2^n * CHUNK_FIRST slots. The slots that
 * have been given back form a list, the last one first.
 */
#include "lib/base/slots.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_FIRST (1u << SLOTS_FIRST_LOG2)

/* Values of slot::next. No index is this large. */
#define SLOT_NONE  (UINT32_MAX - 1)
#define SLOT_GIVEN UINT32_MAX

/* Where a slot is. */
struct place {
	unsigned chunk;
	size_t offset; /* in the chunk, in slots */
};

static size_t chunk_size(unsigned chunk)
{
	return (size_t)CHUNK_FIRST << chunk;
}

static struct place place_of(uint32_t index)
{
	uint64_t shifted = (uint64_t)index + CHUNK_FIRST;
	unsigned chunk = 63 - (unsigned)__builtin_clzll(shifted) - SLOTS_FIRST_LOG2;

	return (struct place){.chunk = chunk, .offset = shifted - chunk_size(chunk)};
}

static struct slot *slot_at(const struct slots *slots, struct place place)
{
	return (void *)(slots->chunks[place.chunk].records + place.offset * slots->stride);
}

static uint32_t id_index(uint64_t id)
{
	return (uint32_t)id;
}

static uint64_t slot_id(const struct slot *slot, uint32_t index)
{
	return (uint64_t)slot->generation << 32 | index;
}

/* Returns the slot and its place, or NULL if no slot is given out under this id. */
static struct slot *slot_of(const struct slots *slots, uint64_t id, struct place *ret_place)
{
	struct slot *slot;

	if (id_index(id) >= slots->n_slots)
		return NULL;
	*ret_place = place_of(id_index(id));
	slot = slot_at(slots, *ret_place);
	return slot->next == SLOT_GIVEN && slot_id(slot, id_index(id)) == id ? slot : NULL;
}

void slots_init(struct slots *slots, size_t record_size)
{
	const size_t unit = sizeof(uint64_t);

	*slots = (struct slots){
		.stride = sizeof(struct slot) + (record_size + unit - 1) / unit * unit,
		.free = SLOT_NONE,
	};
}

void slots_fini(struct slots *slots)
{
	for (int i = 0; i < SLOTS_CHUNKS; i++) {
		free(slots->chunks[i].records);
		free(slots->chunks[i].objects);
	}
	*slots = (struct slots){.stride = slots->stride, .free = SLOT_NONE};
}

/* Allocates both halves of a chunk. If only one can be allocated, it stays for the next attempt. */
static int chunk_make(struct slots *slots, unsigned chunk)
{
	struct slots_chunk *made = &slots->chunks[chunk];
	size_t n = chunk_size(chunk);

	if (!made->records)
		made->records = calloc(n, slots->stride);
	if (!made->objects)
		made->objects = calloc(n, sizeof(*made->objects));
	return made->records && made->objects ? 0 : -ENOMEM;
}

/* Adds a slot at the end. */
static int slots_grow(struct slots *slots, uint32_t *ret_index)
{
	struct place place = place_of(slots->n_slots);
	int r;

	if (place.chunk == SLOTS_CHUNKS)
		return -ENOMEM;
	r = place.offset == 0 ? chunk_make(slots, place.chunk) : 0;
	if (r == 0)
		*ret_index = slots->n_slots++;
	return r;
}

/* Takes a free slot: one that was given back, or a new one. */
static int slots_take(struct slots *slots, uint32_t *ret_index)
{
	if (slots->free == SLOT_NONE)
		return slots_grow(slots, ret_index);
	*ret_index = slots->free;
	slots->free = slot_at(slots, place_of(slots->free))->next;
	return 0;
}

int slots_add(struct slots *slots, void *object, uint64_t *ret_id)
{
	struct place place;
	struct slot *slot;
	uint32_t index;
	int r = slots_take(slots, &index);

	assert(object);
	if (r < 0)
		return r;
	place = place_of(index);
	slot = slot_at(slots, place);
	slot->next = SLOT_GIVEN;
	if (++slot->generation == 0)
		slot->generation = 1;
	memset(slot + 1, 0, slots->stride - sizeof(*slot));
	slots->chunks[place.chunk].objects[place.offset] = object;
	*ret_id = slot_id(slot, index);
	return 0;
}

void *slots_object(const struct slots *slots, uint64_t id)
{
	struct place place;

	if (!slot_of(slots, id, &place))
		return NULL;
	return slots->chunks[place.chunk].objects[place.offset];
}

void *slots_record(const struct slots *slots, uint64_t id)
{
	struct place place;
	struct slot *slot = slot_of(slots, id, &place);

	return slot ? slot + 1 : NULL;
}

void slots_remove(struct slots *slots, uint64_t id)
{
	struct place place;
	struct slot *slot = slot_of(slots, id, &place);

	assert(slot);
	slots->chunks[place.chunk].objects[place.offset] = NULL;
	slot->next = slots->free;
	slots->free = id_index(id);
}

uint64_t slots_next(const struct slots *slots, uint64_t id)
{
	for (uint32_t i = id ? id_index(id) + 1 : 0; i < slots->n_slots; i++) {
		const struct slot *slot = slot_at(slots, place_of(i));

		if (slot->next == SLOT_GIVEN)
			return slot_id(slot, i);
	}
	return 0;
}
