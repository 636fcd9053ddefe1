/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The descriptors of a side while its row runs, and the processes that help it.
 */
#ifndef TESTS_BENCH_ENDS_H
#define TESTS_BENCH_ENDS_H

#include "tests/bench/row.h"

/* Open and close a side of a row. */
void ends_open(struct ends *ends, const struct bench *bench, const struct row *row, int side);
void ends_close(struct ends *ends, int side);

/*
 * Returns the size of the buffer in bytes. It holds any message that a queue with the system's
 * default limits takes.
 */
size_t ends_capacity(const struct ends *ends);

/* Runs `body` in a new process, which inherits all descriptors and ends with the side. */
void ends_fork(struct ends *ends, enum role role, void (*body)(struct ends *ends));

/* Has a process placed with the side, which does not end with it. */
void ends_borrow(struct ends *ends, enum role role, pid_t pid);

/*
 * Runs a program from $PATH, with `in` and `out` as its stdin and stdout. If one is negative,
 * /dev/null takes its place.
 */
void ends_run(struct ends *ends, enum role role, char *const argv[], int in, int out);

/*
 * Start the other end: ends_echo() one that sends everything back, ends_sink() one that reads the
 * bytes that work_stream() sends.
 */
void ends_echo(struct ends *ends);
void ends_sink(struct ends *ends);

/* Opens `path`, in the mount or elsewhere, for the client to write and its other end to read. */
void ends_open_there(struct ends *ends, const char *path);
/* The same for the way back: the other end writes, and the client reads. */
void ends_open_back(struct ends *ends, const char *path);

#endif
