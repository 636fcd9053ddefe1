// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory grows by powers of 2. A message keeps its offset, but lies elsewhere in memory of another
 * size. One store in the record changes from one memory to the other.
 */
#include "lib/channel/ring_memory.h"

#include <errno.h>
#include <string.h>

#define SIZE_FIRST     ((size_t)4096) /* of the first memory */
#define SIZE_UNCHARGED ((size_t)8192) /* what a user gets in any case */

void ring_free_memory(struct ring *ring)
{
	ring->record->memory = 0;
	STATE_ORDER();
	state_release(ring->state, ring->memory, memory_of(ring->size));
	user_uncharge(ring->users, ring->uid, USER_STORED, ring->charged);
	ring->memory = NULL;
	ring->marks = NULL;
	ring->size = 0;
	ring->charged = 0;
}

/* Copies what is in the ring to where it belongs in memory of another size. */
static void copy_to(const struct ring *ring, struct ring *larger)
{
	uint64_t number = (ring->head.number + MARK_EVERY - 1) / MARK_EVERY * MARK_EVERY;
	uint64_t offset = ring->head.offset;

	for (; number < ring->tail.number; number += MARK_EVERY)
		*mark_of(larger, number) = *mark_of(ring, number);
	while (offset < ring->tail.offset) {
		size_t n = ring->size - (offset & (ring->size - 1));

		if (n > ring->tail.offset - offset)
			n = ring->tail.offset - offset;
		if (n > larger->size - (offset & (larger->size - 1)))
			n = larger->size - (offset & (larger->size - 1));
		memcpy(record_at(larger, offset), record_at(ring, offset), n);
		offset += n;
	}
}

/* Returns the size of memory of at least `least` bytes that may take the place of `size`. */
static size_t size_for(size_t size, size_t least)
{
	if (size == 0)
		size = SIZE_FIRST;
	while (size < least)
		size *= 2;
	return size;
}

int ring_grow(struct ring *ring, size_t least)
{
	struct ring larger = *ring;
	size_t more;
	int r;

	larger.size = size_for(ring->size, least);
	more = memory_of(larger.size) - ring->charged;
	r = user_charge(ring->users, ring->uid, USER_STORED, more);
	if (r < 0 && larger.size > SIZE_UNCHARGED)
		return r;
	if (r < 0)
		more = 0;
	larger.charged += more;
	larger.memory = state_alloc(ring->state, memory_of(larger.size));
	if (!larger.memory) {
		user_uncharge(ring->users, ring->uid, USER_STORED, more);
		return -ENOMEM;
	}
	larger.marks = (uint64_t *)(larger.memory + larger.size);
	copy_to(ring, &larger);
	STATE_ORDER();
	ring->record->memory =
		state_offset(ring->state, larger.memory) + (uint64_t)__builtin_ctzll(larger.size);
	STATE_ORDER();
	state_release(ring->state, ring->memory, memory_of(ring->size));
	ring->memory = larger.memory;
	ring->marks = larger.marks;
	ring->size = larger.size;
	ring->charged = larger.charged;
	return 0;
}

bool ring_may_grow(const struct ring *ring, size_t least)
{
	size_t size = size_for(ring->size, least);

	return least <= ring->capacity && (size == ring->size || size <= SIZE_UNCHARGED ||
					   user_has_room(ring->users, ring->uid, USER_STORED,
							 memory_of(size) - ring->charged));
}
