// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two sets of names.
 */
#include "lib/tree/sightings.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/base/cleanup.h"
#include "lib/base/state.h"
#include "lib/host/tree_record.h"

/* More bytes than this can't be right. */
#define SEEN_MOST ((uint64_t)64 << 20)

struct sighting {
	UT_hash_handle hh;
	char name[];
};

static void forget(struct sighting **set)
{
	struct sighting *each, *next;

	HASH_ITER(hh, *set, each, next) {
		HASH_DEL(*set, each);
		free(each);
	}
}

bool sightings_note(struct sightings *sightings, const char *name)
{
	struct sighting *before, *now = calloc(1, sizeof(*now) + strlen(name) + 1);

	HASH_FIND_STR(sightings->last, name, before);
	if (!now)
		return before;
	strcpy(now->name, name);
	HASH_ADD_STR(sightings->now, name, now);
	if (!now->hh.tbl)
		free(now);
	return before;
}

void sightings_turn(struct sightings *sightings)
{
	forget(&sightings->last);
	sightings->last = TAKE_PTR(sightings->now);
}

void sightings_forget(struct sightings *sightings)
{
	forget(&sightings->last);
	forget(&sightings->now);
}

void sightings_drop(struct state *state, struct state_text *text)
{
	char *block = state_block(state, text->offset, text->size);

	text->offset = 0;
	STATE_ORDER();
	state_release(state, block, text->size);
}

void sightings_save(const struct sightings *sightings, struct state *state, struct state_text *text)
{
	struct sighting *each, *next;
	size_t size = 0;
	char *block, *end;

	HASH_ITER(hh, sightings->last, each, next) {
		size += strlen(each->name) + 1;
	}
	sightings_drop(state, text);
	block = end = size && size <= SEEN_MOST ? state_alloc(state, size) : NULL;
	if (!block)
		return;
	HASH_ITER(hh, sightings->last, each, next) {
		end = stpcpy(end, each->name) + 1;
	}
	text->size = size;
	STATE_ORDER();
	text->offset = state_offset(state, block);
}

void sightings_adopt(struct sightings *sightings, struct state *state, struct state_text *text)
{
	const char *block = text->offset && text->size && text->size <= SEEN_MOST
				    ? state_claim(state, text->offset, text->size)
				    : NULL;

	if (!block) {
		text->offset = 0;
		return;
	}
	if (block[text->size - 1]) {
		sightings_drop(state, text);
		return;
	}
	for (size_t i = 0; i < text->size; i += strlen(block + i) + 1)
		sightings_note(sightings, block + i);
	sightings_turn(sightings);
}
