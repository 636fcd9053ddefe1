/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon that is measured, and its figures from /proc.
 */
#ifndef TESTS_BENCH_DAEMON_H
#define TESTS_BENCH_DAEMON_H

#include <sys/types.h>

#include "tests/bench/bench.h"

/*
 * Mounts at an existing directory, in the background. Returns the pid of the supervisor, or of the
 * daemon if the mount has none, when the mount answers.
 */
pid_t daemon_start(const struct bench *bench, const char *dir);

/* Returns the pid of the daemon of a mount that daemon_start() has made. */
pid_t daemon_find(pid_t started);

/* Ends such a mount cleanly, and waits until its processes are gone. */
void daemon_stop(pid_t started);

/* Returns the memory in KiB that the daemon has for itself, and for those that follow it. */
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
