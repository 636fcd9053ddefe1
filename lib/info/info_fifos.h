/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FIFOs of a table. The daemon hears of nobody who opens one, so who reads and writes them is
 * found in /proc: in one look, for all of them together, and only if there are any that somebody
 * can have open. What the look does not find out is left out; no number stands for it.
 */
#ifndef IPCFS_INFO_FIFOS_H
#define IPCFS_INFO_FIFOS_H

#include "lib/info/info_walk.h"
#include "lib/info/scanner.h"

struct info_fifos {
	struct peer_target *targets;
	size_t *rows; /* of each, its number in the table */
	size_t n, n_allocated;
	struct scan *scan; /* once all are there */
	bool has_failed;
};

bool info_is_fifo(const struct channel *channel);

/* Row number `row` is about the channel, if that is a FIFO. -ENOBUFS, -ENOMEM */
int info_fifos_add(struct info_fifos *fifos, struct info_walk *walk, struct channel *channel,
		   size_t row);

/* The look, as text_ops::gather has it; that it fails is no error. */
int info_fifos_count(struct info_fifos *fifos, struct scanner *scanner, struct caller *reader);

/*
 * Puts what was found into the rows, whose readers and writers are 0 so far. Where processes could
 * not be looked at a brief row goes without, and another tells how many they are. On any thread.
 */
void info_fifos_fill(const struct info_fifos *fifos, struct row *rows);

void info_fifos_fini(struct info_fifos *fifos);

#endif
