/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a daemon has died of, whether another may follow, and what the log says of it.
 */
#ifndef IPCFS_SUPERVISOR_DEATHS_H
#define IPCFS_SUPERVISOR_DEATHS_H

#include <stdint.h>

#include "fs/supervisor.h"
#include "lib/channel/journal.h"

/* So many deaths in that time are too many. */
#define DEATHS_MOST 10
#define DEATHS_TIME (60 * CLOCK_S)
/* Deaths with the same request in hand, at most this far apart, are that request's fault. */
#define DEATHS_APART CLOCK_S

/* When the last daemons died whose deaths count. All zeroes: none has. */
struct deaths {
	int64_t times[DEATHS_MOST];
	unsigned n;
	unsigned n_unready; /* daemons in a row that died before they served */
	int64_t last;       /* whether it counts or not */
};

struct death {
	int signal;
	uint64_t request; /* that it had in hand; 0: none */
	bool is_poison;   /* it was the request's fault */
	const char *end;  /* why no daemon may follow; NULL: one may */
};

/*
 * Adds the death of this daemon by a signal. area->died is when, and area->poison is brought up to
 * date. Clears journal->request: the next daemon has nothing in hand before it takes something up.
 */
void deaths_add(struct deaths *deaths, struct supervisor_area *area, struct journal *journal,
		int signal, struct death *ret_death);

/* Logs that the next daemon goes on, without waiting for the log. */
void death_tell(const struct death *death);

/* Ends the supervisor as the daemon has ended, after a line in the log. */
_Noreturn void death_end(const struct death *death);

#endif
