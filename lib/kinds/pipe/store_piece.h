/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A piece of a store, as it lies in the state.
 */
#ifndef IPCFS_STORE_PIECE_H
#define IPCFS_STORE_PIECE_H

#include "lib/kinds/pipe/store.h"

/* The memory of pieces for copied bytes: a power of two. */
#define MEMORY_FIRST ((size_t)4096)  /* of the first piece */
#define MEMORY_MOST  ((size_t)65536) /* of the largest piece */

/* A block. Its bytes are followed by those of the next piece, or by nothing. */
struct store_piece {
	uint64_t next;       /* its offset in the state; 0: this is the last */
	uint64_t begin;      /* how many bytes had been put before its first one */
	uint64_t room;       /* bytes that it has memory for; in a buffer: that it has */
	uint64_t buffer;     /* buffer::place of where the bytes are; 0: in `own` */
	uint64_t place;      /* in a buffer: buffers_place() of the first byte */
	uint64_t is_charged; /* its block is charged to the user */
	char own[];
};

/* The size of the piece's block, bytes. */
static inline size_t piece_memory(const struct store_piece *piece)
{
	return sizeof(*piece) + (piece->buffer ? 0 : piece->room);
}

/* Makes a piece that is filled in the last. */
void store_link(struct store *store, struct store_piece *piece);

#endif
