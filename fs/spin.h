/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking for the next request for a moment before sleeping.
 *
 * Waking a thread that sleeps on another CPU takes longer than handling a request. So while
 * requests come closer together than the limit, the daemon looks again instead of going to sleep,
 * and yields the CPU in between. It stops as soon as that no longer pays: when no request comes
 * within the limit, or when someone else wants the CPU for longer. Every millisecond the loop's
 * other sources have their turn.
 */
#ifndef IPCFS_SPIN_H
#define IPCFS_SPIN_H

#include <stdbool.h>
#include <stdint.h>

struct spin {
	uint64_t limit; /* nanoseconds; 0: never */
	uint64_t since; /* when requests ran out; 0: they have not */
	uint64_t turn_ends;
	uint64_t banned_until, ban; /* when the ban ends, and its length: others wanted the CPU */
	bool pays;                  /* the last request came soon enough */
};

void spin_init(struct spin *spin, unsigned microseconds);

/* Call it before taking requests in a row. */
void spin_begin(struct spin *spin);

/* Call it when there is no request. Returns true if it is worth looking again at once. */
bool spin_again(struct spin *spin);

/* Call it when there was a request. */
void spin_found(struct spin *spin);

#endif
