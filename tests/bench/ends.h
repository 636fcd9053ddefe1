/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a side has open, from its opening to its end, and the processes that help it.
 */
#ifndef TESTS_BENCH_ENDS_H
#define TESTS_BENCH_ENDS_H

#include "tests/bench/row.h"

/* Opens a side of a row. */
void ends_open(struct ends *ends, const struct bench *bench, const struct row *row, int side);
void ends_close(struct ends *ends, int side);

/* Bytes that the buffer has: a message of a queue with the system's defaults fits. */
size_t ends_capacity(const struct ends *ends);

/* Runs `body` in a process of its own, which has all descriptors and ends with the side. */
void ends_fork(struct ends *ends, enum role role, void (*body)(struct ends *ends));

/* Runs a program, found in $PATH. Its stdin and stdout are these, or /dev/null where < 0. */
void ends_run(struct ends *ends, enum role role, char *const argv[], int in, int out);

/* Starts another end that sends everything back, or one that takes in what work_stream() sends. */
void ends_echo(struct ends *ends);
void ends_sink(struct ends *ends);

/* Opens the files of the mount, or of elsewhere, that the client writes and its other end reads. */
void ends_open_there(struct ends *ends, const char *path);
/* And those for the way back. */
void ends_open_back(struct ends *ends, const char *path);

#endif
