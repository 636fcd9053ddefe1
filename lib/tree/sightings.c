// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two sets of names.
 */
#include "lib/tree/sightings.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/base/cleanup.h"

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
