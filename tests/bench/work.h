/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pieces of work that rows are made of. Each function does its work n times.
 */
#ifndef TESTS_BENCH_WORK_H
#define TESTS_BENCH_WORK_H

#include "tests/bench/row.h"

/* Sends row->size bytes to the other end and gets them back: see ends_echo(). */
void work_round_trip(struct ends *ends, size_t n);

/* Writes row->size bytes at a time, and waits until all have been read: see ends_sink(). */
void work_stream(struct ends *ends, size_t n);

/* Writes row->size bytes at a time to ends->out, and waits for nothing. */
void work_write(struct ends *ends, size_t n);

/* Copies row->size bytes to ends->map. */
void work_copy(struct ends *ends, size_t n);

/* Reads or writes row->size bytes at the start of ends->out. */
void work_pread(struct ends *ends, size_t n);
void work_pwrite(struct ends *ends, size_t n);

/* Makes the shell of shell_open() run its command. */
void work_shell(struct ends *ends, size_t n);

#endif
