/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which process runs on which CPU.
 *
 *   same    client, other end and daemon share one
 *   other   the client has one, its other end and the daemon another
 *   free    the scheduler decides
 */
#ifndef TESTS_BENCH_PLACE_H
#define TESTS_BENCH_PLACE_H

#include <stdbool.h>

#include "tests/bench/row.h"

/* Takes the first two CPUs that this process may use. Returns false if there is only one. */
bool place_init(void);

const char *placement_name(enum placement placement);

/* Places this process, the daemon, and, unless `ends` is NULL, the processes of both sides. */
void place(enum placement placement, pid_t daemon, const struct ends ends[N_SIDES]);

/* The same for one process and all of its threads. */
void place_process(enum placement placement, pid_t pid, enum role role);

#endif
