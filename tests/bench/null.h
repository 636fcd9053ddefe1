/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that drops what is written to it, served through FUSE by as little code as there can be:
 * what a write to a served file costs at least.
 */
#ifndef TESTS_BENCH_NULL_H
#define TESTS_BENCH_NULL_H

#include "tests/bench/row.h"

/* Mounts the file, served by a process of the side, and returns a descriptor to write to it. */
int null_open(struct ends *ends);
/* Takes the mount away, when the process has ended. */
void null_close(struct ends *ends);

#endif
