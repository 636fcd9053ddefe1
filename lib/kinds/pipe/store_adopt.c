// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a former daemon has left of a store. Pieces whose bytes are all taken may still be linked,
 * and so may pieces whose bytes were not put completely. Both are dropped.
 */
#include <errno.h>
#include <string.h>

#include "lib/kinds/pipe/store_piece.h"

/* Reads the piece at an offset. */
static int piece_read(const struct store *store, uint64_t offset, struct store_piece *ret_piece)
{
	const void *found = state_block(store->host->state, offset, sizeof(*ret_piece));

	if (!found)
		return -EPROTO;
	memcpy(ret_piece, found, sizeof(*ret_piece));
	return 0;
}

/* Whether the piece can be one that has bytes up to `end`. */
static bool is_sound(const struct store_piece *piece, uint64_t end)
{
	size_t memory = MEMORY_FIRST;

	if (end - piece->begin > piece->room || piece->room > BUFFER_SIZE)
		return false;
	if (piece->buffer)
		return !piece->is_charged;
	while (memory < MEMORY_MOST && memory < piece_memory(piece))
		memory *= 2;
	return piece_memory(piece) == memory;
}

/* Takes over the piece at an offset, as the last. */
static int piece_claim(struct store *store, uint64_t offset, const struct store_piece *piece)
{
	struct host *host = store->host;
	size_t memory = piece_memory(piece);
	struct store_piece *claimed = state_claim(host->state, offset, memory);
	int r = 0;

	if (!claimed)
		return -EPROTO;
	if (piece->is_charged)
		r = user_charge(&host->users, store->uid, USER_STORED, memory);
	else if (piece->buffer && !buffers_adopt(&host->buffers, piece->buffer, piece->place,
						 piece->room, store->uid))
		r = -EPROTO;
	if (r < 0)
		state_release(host->state, claimed, memory);
	else
		store_link(store, claimed);
	return r;
}

/* Takes over a piece if it has bytes that wait. Returns the offset of the next, if any, or 0. */
static int piece_adopt(struct store *store, uint64_t offset, uint64_t *ret_next)
{
	struct store_piece piece, next = {.begin = store->put};
	uint64_t taken = store->record->taken;
	int r = piece_read(store, offset, &piece);

	*ret_next = 0;
	if (r == 0 && piece.begin >= store->put)
		return 0;
	if (r == 0 && piece.next)
		r = piece_read(store, piece.next, &next);
	if (r < 0)
		return r;
	*ret_next = piece.next;
	if (next.begin > store->put)
		next.begin = store->put;
	if (next.begin <= piece.begin || !is_sound(&piece, next.begin))
		return -EPROTO;
	if (next.begin <= taken)
		return 0;
	return !store->last && piece.begin > taken ? -EPROTO : piece_claim(store, offset, &piece);
}

void store_abandon(struct store *store, int error)
{
	if (error != -ENOMEM)
		store_empty(store);
}

int store_adopt(struct store *store, struct host *host, uid_t uid, struct store_record *record)
{
	uint64_t offset = record->first;
	int r = record->taken <= record->put ? 0 : -EPROTO;

	store_init(store, host, uid, record);
	while (r == 0 && offset)
		r = piece_adopt(store, offset, &offset);
	if (r == 0 && !store->last && record->taken < record->put)
		r = -EPROTO;
	if (r < 0) {
		store_abandon(store, r);
		return r;
	}
	if (store->last)
		store->last->next = 0;
	else
		record->first = 0;
	return 0;
}
