// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Only arithmetic: a number follows from the space and the native number, or from a hash.
 */
#include "lib/channel/ino.h"

#include "lib/channel/kind.h"
#include "lib/channel/space.h"

#define PART_SHIFT 29
#define UNIT_MASK  (((ino_t)1 << INO_UNIT_BITS) - 1)

#define HASH_START 14695981039346656037ULL /* FNV-1a */

/* 64-bit numbers: 48 bits of a hash or of the object's own number, 8 of the space, and the part. */
#define LONG_BITS       48
#define LONG_MASK       (((ino_t)1 << LONG_BITS) - 1)
#define LONG_PART_SHIFT 56

static uint64_t hash_path(uint64_t hash, const char *path)
{
	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 1099511628211ULL;
	return hash ^ hash >> 32;
}

ino_t space_part_ino(const struct space *space, ino_t ino, unsigned part)
{
	ino_t most;

	if (!space->ino_bits)
		return ino;
	most = ((ino_t)1 << space->ino_bits) - 1;
	if (space->ino_is_cut)
		ino &= most;
	if (ino > most)
		return (ino_t)part << LONG_PART_SHIFT | (ino_t)space->ino_unit << LONG_BITS |
		       (ino & LONG_MASK);
	return (ino_t)part << PART_SHIFT | (((ino_t)space->ino_unit << INO_UNIT_BITS) + ino);
}

ino_t space_ino(const struct space *space, ino_t ino)
{
	return space_part_ino(space, ino, INO_OBJECT);
}

static ino_t fold_path(uint64_t hash)
{
	ino_t part = hash >> INO_UNIT_BITS & 7, own = hash & UNIT_MASK;

	return part << PART_SHIFT | (own ? own : 1);
}

ino_t space_path_ino(const char *path)
{
	return fold_path(hash_path(HASH_START, path));
}

ino_t space_inner_ino(const struct space *space, const char *name)
{
	return fold_path(hash_path(HASH_START ^ space->ino, name));
}

/* Unit 0 is for paths alone, so no other number above 32 bits begins like the numbers made here. */
ino_t space_name_ino(const char *path)
{
	return (hash_path(HASH_START, path) & LONG_MASK) | (ino_t)1 << (LONG_BITS - 1);
}

ino_t space_address_ino(const char *path)
{
	return ((ino_t)INO_ADDRESSES << INO_UNIT_BITS) + (hash_path(HASH_START, path) & UNIT_MASK);
}
