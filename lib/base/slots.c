// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chunk n begins at index (2^n - 1) * CHUNK_FIRST and has 2^n * CHUNK_FIRST slots. The slots that
 * have been given back form a list, the last one first.
 *
 * In a state, the process may be killed after any store. So a slot is complete before one store
 * gives it out: slot::next, or the count of slots if it is a new one. One store takes it back.
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

static size_t chunk_first(unsigned chunk)
{
	return chunk_size(chunk) - CHUNK_FIRST;
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

void slots_place(struct slots *slots, size_t record_size, struct state *state,
		 enum state_table table)
{
	slots_init(slots, record_size);
	slots->state = state;
	slots->table = table;
	slots->used = state_table_used(state, table);
}

void slots_fini(struct slots *slots)
{
	for (int i = 0; i < SLOTS_CHUNKS; i++) {
		if (!slots->state)
			free(slots->chunks[i].records);
		free(slots->chunks[i].objects);
	}
	*slots = (struct slots){.stride = slots->stride, .free = SLOT_NONE};
}

/* Returns memory for the records of a chunk. In a state, it has to be reserved. */
static char *chunk_records(const struct slots *slots, unsigned chunk)
{
	size_t size;

	if (!slots->state)
		return calloc(chunk_size(chunk), slots->stride);
	return (char *)state_table(slots->state, slots->table, &size) +
	       chunk_first(chunk) * slots->stride;
}

/* Allocates both halves of a chunk. If only one can be allocated, it stays for the next attempt. */
static int chunk_make(struct slots *slots, unsigned chunk)
{
	struct slots_chunk *made = &slots->chunks[chunk];

	if (!made->records)
		made->records = chunk_records(slots, chunk);
	if (!made->objects)
		made->objects = calloc(chunk_size(chunk), sizeof(*made->objects));
	return made->records && made->objects ? 0 : -ENOMEM;
}

/* Makes sure that there is memory for one slot more, at the end. */
static int slots_grow(struct slots *slots)
{
	struct place place = place_of(slots->n_slots);

	if (place.chunk == SLOTS_CHUNKS)
		return -ENOMEM;
	if (slots->state) {
		size_t size = ((size_t)slots->n_slots + 1) * slots->stride;
		int r = state_table_reserve(slots->state, slots->table, size);

		if (r < 0)
			return r;
	}
	return place.offset == 0 ? chunk_make(slots, place.chunk) : 0;
}

/* Counts the slots up to `index` as given out before, if they are not. */
static void slots_count(struct slots *slots, uint32_t index)
{
	if (index < slots->n_slots)
		return;
	slots->n_slots = index + 1;
	STATE_ORDER();
	if (slots->used)
		*slots->used = slots->n_slots;
}

int slots_add(struct slots *slots, void *object, uint64_t *ret_id)
{
	uint32_t index = slots->free == SLOT_NONE ? slots->n_slots : slots->free;
	int r = slots->free == SLOT_NONE ? slots_grow(slots) : 0;
	struct place place = place_of(index);
	struct slot *slot;

	assert(object);
	if (r < 0)
		return r;
	slot = slot_at(slots, place);
	if (index == slots->free)
		slots->free = slot->next;
	else
		slot->generation = 0; /* a former process may have been about to use it */
	if (++slot->generation == 0)
		slot->generation = 1;
	memset(slot + 1, 0, slots->stride - sizeof(*slot));
	STATE_ORDER();
	slot->next = SLOT_GIVEN;
	slots_count(slots, index);
	slots->chunks[place.chunk].objects[place.offset] = object;
	*ret_id = slot_id(slot, index);
	return 0;
}

/* Makes memory for the objects of slots that another process has counted, and counts them. */
static int adopt_count(struct slots *slots, uint32_t n)
{
	while (slots->n_slots < n) {
		const struct slot *slot;
		int r = slots_grow(slots);

		if (r < 0)
			return r;
		slot = slot_at(slots, place_of(slots->n_slots));
		if (slot->generation == 0 ||
		    (slot->next >= n && slot->next != SLOT_NONE && slot->next != SLOT_GIVEN))
			return -EPROTO;
		slots->n_slots++;
	}
	return 0;
}

int slots_adopt(struct slots *slots)
{
	uint32_t n = *slots->used;
	size_t size;
	int r;

	state_table(slots->state, slots->table, &size);
	if (n > size / slots->stride)
		return -EPROTO;
	r = adopt_count(slots, n);
	if (r < 0)
		return r;
	for (uint32_t i = n; i-- > 0;) {
		struct slot *slot = slot_at(slots, place_of(i));

		if (slot->next == SLOT_GIVEN)
			continue;
		slot->next = slots->free;
		slots->free = i;
	}
	return 0;
}

void slots_set_object(struct slots *slots, uint64_t id, void *object)
{
	struct place place;
	const struct slot *slot = slot_of(slots, id, &place);

	assert(slot && object && !slots->chunks[place.chunk].objects[place.offset]);
	slots->chunks[place.chunk].objects[place.offset] = object;
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
