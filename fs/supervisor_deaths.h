/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a daemon has died of, whether another may follow, and what the log says of it.
 */
#ifndef IPCFS_SUPERVISOR_DEATHS_H
#define IPCFS_SUPERVISOR_DEATHS_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/supervisor.h"
#include "lib/channel/journal.h"

/* So many deaths in that time are too many. */
#define DEATHS_MOST 10
#define DEATHS_TIME (60 * CLOCK_S)
/*
 * A next daemon gets so long until it serves: the first one after a daemon that did, and each that
 * follows so much more. Adopting 16,000 open files takes 0.03 s.
 */
#define DEATHS_PATIENCE (5 * CLOCK_S)
/* Before a daemon tries what the former could not; twice as long with each further try. */
#define DEATHS_PAUSE (10 * CLOCK_MS)
/*
 * Deaths with the same request in hand are that request's fault, if each daemon has died at most
 * this long after it began to serve: the kernel sends the request again at once.
 */
#define DEATHS_SOON (5 * CLOCK_S)

/* When the last daemons died whose deaths count. All zeroes: none has. */
struct deaths {
	int64_t times[DEATHS_MOST];
	unsigned n;
	unsigned n_unready; /* daemons in a row that died before they served */
	bool is_late;       /* this daemon was killed, because it did not get to serve */
};

struct death {
	int signal;       /* 0: it has ended with SUPERVISOR_AGAIN */
	bool is_late;     /* it did not get to serve */
	int64_t pause;    /* before the next daemon begins, ns */
	uint64_t request; /* that it had in hand; 0: none */
	bool is_poison;   /* it was the request's fault */
	const char *end;  /* why no daemon may follow; NULL: one may */
};

/*
 * How long to wait for this daemon to serve, ns; -1: it does, or is not waited for. When that is
 * over, deaths_late() tells whether the daemon has to be killed.
 */
int64_t deaths_patience(const struct deaths *deaths, const struct supervisor_area *area);
bool deaths_late(struct deaths *deaths, const struct supervisor_area *area);

/* Whether a daemon that has ended like this can be followed at all. */
bool deaths_is_one(const struct supervisor_area *area, int status);
/*
 * Adds the death of this daemon, with its wait(2) status. area->died is when, and area->poison is
 * brought up to date. Clears journal->request: the next daemon has nothing in hand before it takes
 * something up.
 */
void deaths_add(struct deaths *deaths, struct supervisor_area *area, struct journal *journal,
		int status, struct death *ret_death);

/* Logs that the next daemon goes on, without waiting for the log. */
void death_tell(const struct death *death);

/*
 * Ends the supervisor as the daemon has ended, with status 1 if that was by itself, after a line in
 * the log.
 */
_Noreturn void death_end(const struct death *death);

#endif
