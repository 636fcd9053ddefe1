/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon that is measured, and what /proc says of it.
 */
#ifndef TESTS_BENCH_DAEMON_H
#define TESTS_BENCH_DAEMON_H

#include <sys/types.h>

#include "tests/bench/bench.h"

/*
 * Mounts at an existing directory, with the daemon in the background. Returns its pid when the
 * mount answers.
 */
pid_t daemon_start(const struct bench *bench, const char *dir);

/* Ends the daemon cleanly, and waits until it is gone. */
void daemon_stop(pid_t daemon);

/* Returns its anonymous memory in KiB. */
double daemon_memory(pid_t daemon);

/* Returns how many descriptors it has open. */
int daemon_descriptors(pid_t daemon);

/* Returns once the daemon has done all that was asked of it before. */
void daemon_settle(const struct bench *bench);

struct daemon_use {
	unsigned long n_wakeups; /* voluntary context switches of its threads */
	unsigned long ticks;     /* of CPU time */
};

struct daemon_use daemon_use(pid_t daemon);

#endif
