/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One bit of the memory that outlives a daemon (lib/base/state.h), turned over from outside.
 */
#ifndef TESTS_MOUNT_FLIP_H
#define TESTS_MOUNT_FLIP_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/state.h"

/* The header, then areas, then tables, then the heap. */
enum { FLIP_HEADER, FLIP_AREAS, FLIP_TABLES = FLIP_AREAS + STATE_N_AREAS };
enum { FLIP_HEAP = FLIP_TABLES + STATE_N_TABLES, FLIP_REGIONS };

struct flip {
	int region;
	uint64_t offset; /* in the region */
	int bit;
};

/*
 * Turns over a bit of the daemon's state, chosen by random(3): any region that has something, and
 * there any byte up to the last one that is not 0; of the heap, one that is not 0; of the journal,
 * any but those that no other daemon reads. Fails the test if there is no state.
 */
struct flip flip_one(pid_t daemon);

#endif
