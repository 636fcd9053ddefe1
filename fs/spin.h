/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looking for the next request for a moment before sleeping.
 *
 * To wake a sleeping thread on another CPU takes longer than to handle a request. So while requests
 * come closer together than the limit, the daemon looks again instead of going to sleep, and lets
 * others have its CPU in between. It stops as soon as that no longer pays: when one does not come
 * within the limit, or when somebody else wants the CPU for longer. Every millisecond the loop's
 * other sources have their turn.
 */
#ifndef IPCFS_SPIN_H
#define IPCFS_SPIN_H

#include <stdbool.h>
#include <stdint.h>

struct spin {
	uint64_t limit; /* nanoseconds; 0: never */
	uint64_t since; /* when there was nothing to do any more; 0: there is something */
	uint64_t turn_ends;
	uint64_t banned_until, ban; /* after somebody else has wanted the CPU; for so long */
	bool pays;                  /* the last request came soon enough */
};

void spin_init(struct spin *spin, unsigned microseconds);

/* From here on requests are taken in a row. */
void spin_begin(struct spin *spin);

/* There is no request. Is it to be looked for again at once? */
bool spin_again(struct spin *spin);

/* There was a request. */
void spin_found(struct spin *spin);

#endif
