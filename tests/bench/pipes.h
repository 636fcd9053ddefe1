/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pipes of the mount, and FIFOs to compare with them.
 */
#ifndef TESTS_BENCH_PIPES_H
#define TESTS_BENCH_PIPES_H

#include "tests/bench/row.h"

/* FIFOs of the default size on the tmpfs, for work_stream() and for work_round_trip(). */
void pipes_open_fifo(struct ends *ends);
void pipes_open_fifo_trip(struct ends *ends);

/* Pipes of the mount, created with these parameters, such as "served=daemon". */
void pipes_open(struct ends *ends, const char *parameters);
void pipes_open_trip(struct ends *ends, const char *parameters);
void pipes_close(struct ends *ends);
void pipes_close_trip(struct ends *ends);

#endif
