/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the last run of a repeated line has found unused. The kernel does not tell when a mapping
 * was last used: a service that is just being restarted leaves objects that look old. So a run
 * removes only what the run before it has found as well.
 */
#ifndef IPCFS_SIGHTINGS_H
#define IPCFS_SIGHTINGS_H

#include <stdbool.h>

struct sighting;
struct state;
struct state_text;

/* All zeroes: nothing was seen. */
struct sightings {
	struct sighting *last, *now; /* by name */
};

/*
 * Notes that this run has found the object. Returns whether the last run had found it too. Without
 * memory it is not noted.
 */
bool sightings_note(struct sightings *sightings, const char *name);

/* This run is over: it becomes the last one. */
void sightings_turn(struct sightings *sightings);

void sightings_forget(struct sightings *sightings);

/*
 * Puts what the last run has found into a block of the state, in place of what is there. Without
 * memory there is nothing then.
 */
void sightings_save(const struct sightings *sightings, struct state *state,
		    struct state_text *text);
/* Frees the block. */
void sightings_drop(struct state *state, struct state_text *text);
/* For the next daemon: takes over what the last run has found. */
void sightings_adopt(struct sightings *sightings, struct state *state, struct state_text *text);

#endif
