/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FIFOs of a table. The daemon does not learn of processes that open one, so readers and
 * writers are found in /proc: by one scan for all FIFOs together, and only if somebody can have one
 * open at all. What the scan does not find out is left out, and no number stands in for it.
 */
#ifndef IPCFS_INFO_FIFOS_H
#define IPCFS_INFO_FIFOS_H

#include "lib/info/info_walk.h"
#include "lib/info/scanner.h"

struct info_fifos {
	struct peer_target *targets;
	size_t *rows; /* for each target the number of its row in the table */
	size_t n, n_allocated;
	struct scan *scan; /* once all targets are there */
	bool has_failed;
};

bool info_is_fifo(const struct channel *channel);

/* Adds the channel of row number `row`, if it is a FIFO. Fails with -ENOBUFS or -ENOMEM. */
int info_fifos_add(struct info_fifos *fifos, struct info_walk *walk, struct channel *channel,
		   size_t row);

/* Runs the scan, and returns as text_ops::gather does. A scan that fails is not an error. */
int info_fifos_count(struct info_fifos *fifos, struct scanner *scanner, struct caller *reader);

/*
 * Puts what was found into the rows of the FIFOs that were added, whose readers and writers are 0
 * so far. If the scan failed, each of these loses both numbers. If it could not look at some
 * processes, a brief row loses them, and any other says how many such processes there are. Runs on
 * any thread.
 */
void info_fifos_fill(const struct info_fifos *fifos, struct row *rows);

void info_fifos_fini(struct info_fifos *fifos);

#endif
