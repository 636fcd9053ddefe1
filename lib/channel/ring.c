// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Each message counts the readers that stand before it, and the ring counts those that have read
 * all. So a message can go as soon as it is the oldest and its count is 0, and no call looks at all
 * readers. When a message is dropped, its count moves on to the next one; the readers themselves
 * learn of it at their next call, because their number is then lower than that of the oldest.
 */
#include "lib/channel/ring.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "lib/channel/ring_memory.h"

void ring_init(struct ring *ring, const struct ring_owner *owner, size_t capacity)
{
	*ring = (struct ring){
		.state = owner->state,
		.users = owner->users,
		.uid = owner->uid,
		.record = owner->record ? owner->record : &ring->own,
		.capacity = capacity,
	};
}

void ring_fini(struct ring *ring)
{
	assert(ring->n_readers == 0);
	ring_free_memory(ring);
}

static void unkeep_oldest(struct ring *ring)
{
	ring->bytes_kept -= record_at(ring, ring->kept.offset)->size;
	place_step(ring, &ring->kept);
	note_kept(ring);
}

static void drop_oldest(struct ring *ring)
{
	struct record *record = record_at(ring, ring->head.offset);

	if (ring->kept.number == ring->head.number)
		unkeep_oldest(ring);
	ring->bytes -= record->size;
	place_step(ring, &ring->head);
	*count_at(ring, &ring->head) += record->n_readers;
	note_head(ring);
	/* A message that nobody needs is whole without its bytes. */
	if (ring->record->whole < ring->head.number)
		ring->record->whole = ring->head.number;
}

/* Drops what nobody needs any more. */
static void trim(struct ring *ring)
{
	while (ring_n_kept(ring) > ring->keep.messages ||
	       (ring_n_kept(ring) > 1 && ring->bytes_kept > ring->keep.bytes))
		unkeep_oldest(ring);
	while (ring->head.number < ring->kept.number &&
	       record_at(ring, ring->head.offset)->n_readers == 0)
		drop_oldest(ring);
}

/* Memory is worth keeping as long as somebody reads: the next message needs it again. */
static void trim_all(struct ring *ring)
{
	trim(ring);
	if (is_empty(ring) && ring->n_readers == 0)
		ring_free_memory(ring);
}

/* Makes the memory large enough for all that may be in the ring; or if that fails, for `need`. */
static int grow_for(struct ring *ring, size_t need)
{
	size_t want = ring_used(ring) + need;
	int r = 0;

	if (want > ring->capacity)
		want = ring->capacity;
	if (ring->size < want)
		r = ring_grow(ring, want);
	if (r < 0 && ring->size < need)
		r = ring_grow(ring, need);
	return ring->size < need ? r : 0;
}

/* Returns how much of the present memory messages may take. */
static size_t most_of(const struct ring *ring)
{
	return ring->size < ring->capacity ? ring->size : ring->capacity;
}

static bool fits(const struct ring *ring, size_t need)
{
	return ring_used(ring) + need <= most_of(ring);
}

int ring_check_size(const struct ring *ring, size_t size)
{
	return size > ring->capacity || step_of(size) > ring->capacity ? -EMSGSIZE : 0;
}

/*
 * Whether `need` is within `most` if messages are dropped that are only kept. The search goes on
 * where the last one ended, because thousands of pollers may ask.
 */
static bool can_make_room(struct ring *ring, size_t need, size_t most)
{
	struct ring_place *place = &ring->unawaited;

	if (place->number < ring->head.number)
		*place = ring->head;
	while (ring->tail.offset - place->offset + need > most) {
		if (place->number == ring->tail.number || record_at(ring, place->offset)->n_readers)
			return false;
		place_step(ring, place);
	}
	return true;
}

bool ring_has_room(struct ring *ring, size_t size)
{
	size_t need = step_of(size);
	size_t most = ring_may_grow(ring, ring->capacity) ? ring->capacity : most_of(ring);

	return ring->n_at_tail == ring->n_readers || ring_may_grow(ring, ring_used(ring) + need) ||
	       can_make_room(ring, need, most);
}

int ring_make_room(struct ring *ring, size_t size, bool is_forced)
{
	size_t need = step_of(size);
	int r = ring_check_size(ring, size);

	if (r == 0)
		r = grow_for(ring, need);
	if (r < 0)
		return r;
	if (!is_forced && !can_make_room(ring, need, most_of(ring)))
		return -EAGAIN;
	while (!fits(ring, need))
		drop_oldest(ring);
	return 0;
}

void ring_append(struct ring *ring, size_t size)
{
	assert(size > 0 && fits(ring, step_of(size)));
	*record_at(ring, ring->tail.offset) =
		(struct record){.size = (uint32_t)size, .n_readers = ring->n_at_tail};
	if (ring->tail.number % MARK_EVERY == 0)
		*mark_of(ring, ring->tail.number) = ring->tail.offset;
	ring->n_at_tail = 0;
	ring->bytes += size;
	ring->bytes_kept += size;
	place_step(ring, &ring->tail);
	note_tail(ring);
}

/* Sets the pieces of the message at this offset. Returns how many. */
static int find_pieces(const struct ring *ring, uint64_t offset, struct iovec *ret_iov)
{
	size_t size = record_at(ring, offset)->size;
	size_t at = (offset + sizeof(struct record)) & (ring->size - 1);
	size_t first = size < ring->size - at ? size : ring->size - at;

	ret_iov[0] = (struct iovec){ring->memory + at, first};
	ret_iov[1] = (struct iovec){ring->memory, size - first};
	return first < size ? 2 : 1;
}

static void copy_in(struct ring *ring, uint64_t offset, const struct iovec *iov, int n_iov)
{
	for (int i = 0; i < n_iov; i++) {
		size_t at = offset & (ring->size - 1);
		size_t n = iov[i].iov_len < ring->size - at ? iov[i].iov_len : ring->size - at;

		memcpy(ring->memory + at, iov[i].iov_base, n);
		memcpy(ring->memory, (const char *)iov[i].iov_base + n, iov[i].iov_len - n);
		offset += iov[i].iov_len;
	}
}

void ring_fill(struct ring *ring, const struct iovec *iov, int n_iov)
{
	size_t size = 0;

	for (int i = 0; i < n_iov; i++)
		size += iov[i].iov_len;
	trim(ring);
	if (!is_empty(ring))
		copy_in(ring, ring->tail.offset - step_of(size) + sizeof(struct record), iov,
			n_iov);
	STATE_ORDER();
	ring->record->whole = ring->tail.number;
}

void ring_pass(struct ring *ring)
{
	trim(ring); /* an adopted ring may still have what nobody needs */
	assert(is_empty(ring) && ring->n_readers == 0);
	ring->tail.number++;
	ring->head = ring->kept = ring->tail;
	note_tail(ring);
	note_kept(ring);
	note_head(ring);
	ring->record->whole = ring->tail.number;
}

struct ring_place ring_kept(const struct ring *ring, uint64_t n_back)
{
	uint64_t n_kept = ring_n_kept(ring);

	return find_place(ring, &ring->kept,
			  ring->tail.number - (n_back < n_kept ? n_back : n_kept));
}

ssize_t ring_at(const struct ring *ring, struct ring_place *place, struct iovec *ret_iov,
		int *ret_n)
{
	uint64_t offset = place->offset;

	if (place->number >= ring->record->whole)
		return -EAGAIN;
	*ret_n = find_pieces(ring, offset, ret_iov);
	place_step(ring, place);
	return record_at(ring, offset)->size;
}

void ring_join(struct ring *ring, struct ring_reader *reader, struct ring_reader_record *record,
	       uint64_t n_back)
{
	*reader = (struct ring_reader){
		.next = ring_kept(ring, n_back),
		.record = record ? record : &reader->own,
	};
	*reader->record = (struct ring_reader_record){.joined = reader->next.number};
	(*count_at(ring, &reader->next))++;
	ring->n_readers++;
	if (reader->next.number < ring->unawaited.number)
		ring->unawaited = reader->next;
}

/* Returns how many of the messages that the reader has still to read have been dropped. */
static uint64_t count_dropped(const struct ring *ring, const struct ring_reader *reader)
{
	return reader->next.number < ring->head.number ? ring->head.number - reader->next.number
						       : 0;
}

uint64_t ring_behind(const struct ring *ring, const struct ring_reader *reader)
{
	return ring->tail.number - reader->next.number - count_dropped(ring, reader);
}

uint64_t ring_missed(const struct ring *ring, const struct ring_reader *reader)
{
	return reader->record->missed + count_dropped(ring, reader);
}

/* Moves the reader on to the oldest message, if those before that have been dropped. */
static void catch_up(const struct ring *ring, struct ring_reader *reader)
{
	if (reader->next.number >= ring->head.number)
		return;
	reader->record->missed = ring_missed(ring, reader);
	reader->next = ring->head;
}

void ring_leave(struct ring *ring, struct ring_reader *reader)
{
	catch_up(ring, reader);
	(*count_at(ring, &reader->next))--;
	ring->n_readers--;
	trim_all(ring);
}

ssize_t ring_next(struct ring *ring, struct ring_reader *reader, struct iovec *ret_iov, int *ret_n)
{
	struct ring_place place;

	catch_up(ring, reader);
	place = reader->next;
	return ring_at(ring, &place, ret_iov, ret_n);
}

void ring_advance(struct ring *ring, struct ring_reader *reader)
{
	catch_up(ring, reader);
	(*count_at(ring, &reader->next))--;
	place_step(ring, &reader->next);
	(*count_at(ring, &reader->next))++;
	reader->record->taken++;
	STATE_ORDER();
	trim(ring);
}

void ring_set_keep(struct ring *ring, const struct ring_keep *keep)
{
	ring->keep = *keep;
	trim_all(ring);
}

void ring_set_capacity(struct ring *ring, size_t capacity)
{
	ring->capacity = capacity;
	if (is_empty(ring))
		ring_free_memory(ring);
}

void ring_empty(struct ring *ring)
{
	/* Without memory there are no messages, whatever else the record says. */
	ring_free_memory(ring);
	ring->n_at_tail = ring->n_readers;
	ring->head = ring->kept = ring->tail;
	ring->bytes = 0;
	ring->bytes_kept = 0;
	note_kept(ring);
	note_head(ring);
	ring->record->whole = ring->tail.number;
}
