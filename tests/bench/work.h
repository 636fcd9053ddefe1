/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pieces of work that rows are made of; each does it n times.
 */
#ifndef TESTS_BENCH_WORK_H
#define TESTS_BENCH_WORK_H

#include "tests/bench/row.h"

/* A message of row->size bytes to the other end, and one back: see ends_echo(). */
void work_round_trip(struct ends *ends, size_t n);

/* Writes of row->size bytes each, until the last has been read: see ends_sink(). */
void work_stream(struct ends *ends, size_t n);

/* Copies row->size bytes to ends->map. */
void work_copy(struct ends *ends, size_t n);

/* Reads or writes row->size bytes at the start of ends->out. */
void work_pread(struct ends *ends, size_t n);
void work_pwrite(struct ends *ends, size_t n);

/* Has the shell of shell_open() run its command. */
void work_shell(struct ends *ends, size_t n);

#endif
