/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon that is measured, and its figures from /proc.
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

/* Returns the daemon's anonymous memory in KiB. */
double daemon_memory(pid_t daemon);

/* Returns how many descriptors the daemon has open. */
int daemon_descriptors(pid_t daemon);

/* Waits until the daemon has done everything that was asked of it before. */
void daemon_settle(const struct bench *bench);

struct daemon_use {
	unsigned long n_wakeups; /* voluntary context switches of its threads */
	unsigned long ticks;     /* of CPU time that it has used */
};

struct daemon_use daemon_use(pid_t daemon);

#endif
