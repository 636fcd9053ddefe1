// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pieces grow with the number of bytes that wait, so that a full store has few pieces. A store
 * whose user can't be charged any more still holds BYTES_LEAST.
 *
 * A daemon can be killed between any two stores to memory. So a piece is filled in before it is
 * linked, bytes are copied before store_record::put counts them, and store_record::taken counts
 * bytes before their pieces are unlinked and freed. What lies before `taken` or after `put` is
 * nothing, whichever pieces are still or already there.
 */
#include "lib/kinds/pipe/store.h"

#include <errno.h>
#include <string.h>

#include "lib/kinds/pipe/store_piece.h"

#define CAPACITY_DEFAULT ((size_t)1 << 20)
#define BYTES_LEAST      ((size_t)8192)  /* PIPE_MIN_DEF_BUFFERS, linux/fs/pipe.c */
#define MEMORY_LEFT      ((size_t)16384) /* of the largest piece that stays when it is empty */

void store_init(struct store *store, struct host *host, uid_t uid, struct store_record *record)
{
	*store = (struct store){
		.host = host,
		.record = record,
		.uid = uid,
		.capacity = CAPACITY_DEFAULT,
		.put = record->put,
	};
}

static struct store_piece *piece_at(const struct store *store, uint64_t offset)
{
	return offset ? state_block(store->host->state, offset, sizeof(struct store_piece)) : NULL;
}

static struct store_piece *first_of(const struct store *store)
{
	return piece_at(store, store->record->first);
}

/* Returns how many bytes had been put when the last one of this piece had. */
static uint64_t piece_end(const struct store *store, const struct store_piece *piece)
{
	return piece->next ? piece_at(store, piece->next)->begin : store->put;
}

/* Returns where a piece has the byte before which so many had been put. */
static char *piece_data(const struct store *store, struct store_piece *piece, uint64_t put)
{
	if (!piece->buffer)
		return piece->own + (put - piece->begin);
	return buffers_data(&store->host->buffers, piece->place + (put - piece->begin));
}

void store_link(struct store *store, struct store_piece *piece)
{
	uint64_t *link = store->last ? &store->last->next : &store->record->first;

	STATE_ORDER();
	*link = state_offset(store->host->state, piece);
	store->last = piece;
}

/* Frees a piece that nothing leads to. */
static void piece_free(struct store *store, struct store_piece *piece)
{
	struct host *host = store->host;
	size_t memory = piece_memory(piece);

	if (piece->buffer)
		buffer_release(buffers_find(&host->buffers, piece->buffer), store->uid);
	if (piece->is_charged)
		user_uncharge(&host->users, store->uid, USER_STORED, memory);
	state_release(host->state, piece, memory);
}

static void remove_first(struct store *store)
{
	struct store_piece *piece = first_of(store);

	store->record->first = piece->next;
	STATE_ORDER();
	if (piece == store->last)
		store->last = NULL;
	piece_free(store, piece);
}

void store_empty(struct store *store)
{
	store->record->taken = store->put;
	STATE_ORDER();
	while (store->last)
		remove_first(store);
}

static ssize_t put_kept(struct store *store, const char *data, size_t size, struct buffer *buffer)
{
	struct store_piece *piece = state_alloc(store->host->state, sizeof(*piece));

	if (!piece) {
		buffer_release(buffer, store->uid);
		return -ENOMEM;
	}
	if (store_bytes(store) == 0)
		store_empty(store);
	*piece = (struct store_piece){
		.begin = store->put,
		.room = size,
		.buffer = buffer->place,
		.place = buffers_place(buffer->buffers, data),
	};
	store_link(store, piece);
	store->put += size;
	return (ssize_t)size;
}

/*
 * Returns how much memory a new piece gets: enough for `size` bytes, which fit into the store, and
 * for the waiting bytes to double, but at most MEMORY_MOST.
 */
static size_t choose_memory(const struct store *store, size_t size)
{
	size_t bytes = store_bytes(store), fits = store->capacity - bytes;
	size_t want = bytes < fits ? bytes : fits;
	size_t memory = MEMORY_FIRST;

	if (want < size)
		want = size;
	while (memory < want + sizeof(struct store_piece) && memory < MEMORY_MOST)
		memory *= 2;
	return memory;
}

/* Charges `memory` bytes, or fewer if the user has less left. Returns how many, which may be 0. */
static size_t charge_memory(struct store *store, size_t memory)
{
	while (user_charge(&store->host->users, store->uid, USER_STORED, memory) < 0) {
		if (memory == MEMORY_FIRST)
			return 0;
		memory /= 2;
	}
	return memory;
}

/* Adds a piece for bytes that are copied. */
static int add_piece(struct store *store, size_t size)
{
	size_t charged = charge_memory(store, choose_memory(store, size));
	size_t memory = charged ? charged : MEMORY_FIRST;
	struct store_piece *piece;

	if (!charged && store_bytes(store) >= BYTES_LEAST)
		return -EAGAIN;
	piece = state_alloc(store->host->state, memory);
	if (!piece) {
		user_uncharge(&store->host->users, store->uid, USER_STORED, charged);
		return -ENOMEM;
	}
	*piece = (struct store_piece){
		.begin = store->put,
		.room = memory - sizeof(*piece),
		.is_charged = charged > 0,
	};
	store_link(store, piece);
	return 0;
}

/* Returns the room in the last piece. */
static size_t room_left(const struct store *store)
{
	const struct store_piece *last = store->last;
	size_t room, bytes = store_bytes(store);

	if (!last || last->buffer)
		return 0;
	room = last->room - (store->put - last->begin);
	/* Uncharged pieces fill the store up to BYTES_LEAST only, so there are few. */
	if (!last->is_charged && room + bytes > BYTES_LEAST)
		room = bytes < BYTES_LEAST ? BYTES_LEAST - bytes : 0;
	return room;
}

static ssize_t put_copy(struct store *store, const char *data, size_t size)
{
	size_t room = room_left(store);
	int r;

	if (store_bytes(store) == 0 && room < size) {
		store_empty(store);
		room = 0;
	}
	r = room ? 0 : add_piece(store, size);
	if (r < 0)
		return r;
	room = room_left(store);
	if (size > room)
		size = room;
	memcpy(piece_data(store, store->last, store->put), data, size);
	store->put += size;
	return (ssize_t)size;
}

ssize_t store_put(struct store *store, const char *data, size_t size, struct buffer *buffer)
{
	size_t done = 0;
	ssize_t n = 0;

	while (done < size) {
		size_t bytes = store_bytes(store);
		size_t fits = bytes < store->capacity ? store->capacity - bytes : 0;

		if (fits > size - done)
			fits = size - done;
		if (fits == 0)
			n = -EAGAIN;
		else if (buffer && buffer_keep(buffer, data + done, fits, store->uid))
			n = put_kept(store, data + done, fits, buffer);
		else
			n = put_copy(store, data + done, fits);
		if (n < 0)
			break;
		done += (size_t)n;
	}
	STATE_ORDER();
	store->record->put = store->put;
	return done ? (ssize_t)done : n;
}

size_t store_lend(const struct store *store, size_t size, struct pieces *pieces)
{
	uint64_t from = store->record->taken;
	struct store_piece *piece;
	size_t lent = 0;

	pieces->n = 0;
	for (piece = first_of(store); piece; piece = piece_at(store, piece->next)) {
		size_t n = (size_t)(piece_end(store, piece) - from);

		if (n > size - lent)
			n = size - lent;
		if (n == 0 || pieces->n == CHANNEL_PIECES)
			break;
		pieces->iov[pieces->n++] = (struct iovec){piece_data(store, piece, from), n};
		lent += n;
		from += n;
	}
	return lent;
}

/*
 * Whether a piece whose bytes are all taken stays, so that small writes that are read straight away
 * need no new memory.
 */
static bool stays(const struct store *store, const struct store_piece *piece)
{
	return piece == store->last && !piece->buffer && piece_memory(piece) <= MEMORY_LEFT;
}

void store_drop(struct store *store, size_t size)
{
	struct store_piece *first;
	size_t bytes = store_bytes(store);
	uint64_t taken = store->record->taken + (size < bytes ? size : bytes);

	store->record->taken = taken;
	STATE_ORDER();
	while ((first = first_of(store)) && piece_end(store, first) <= taken) {
		if (stays(store, first)) {
			first->begin = taken;
			break;
		}
		remove_first(store);
	}
}

size_t store_copy(const struct store *store, char *data, size_t size)
{
	uint64_t from = store->record->taken, to = store->put;
	struct store_piece *piece;

	if (to - from > size)
		to = from + size;
	for (piece = first_of(store); piece && from < to; piece = piece_at(store, piece->next)) {
		uint64_t end = piece_end(store, piece);
		size_t n = (size_t)((end < to ? end : to) - from);

		memcpy(data, piece_data(store, piece, from), n);
		data += n;
		from += n;
	}
	return (size_t)(from - store->record->taken);
}

bool store_has_room(const struct store *store)
{
	size_t bytes = store_bytes(store);

	if (bytes >= store->capacity)
		return false;
	return bytes < BYTES_LEAST || room_left(store) ||
	       user_has_room(&store->host->users, store->uid, USER_STORED, MEMORY_FIRST);
}

int store_shrink(const struct store *store, size_t capacity)
{
	return store_bytes(store) > capacity ? -EBUSY : 0;
}

int store_peek(const struct store *store, FILE *out)
{
	uint64_t from = store->record->taken;
	struct store_piece *piece;

	for (piece = first_of(store); piece; piece = piece_at(store, piece->next)) {
		uint64_t end = piece_end(store, piece);

		fwrite(piece_data(store, piece, from), 1, (size_t)(end - from), out);
		from = end;
	}
	return 0;
}
