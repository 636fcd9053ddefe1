/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thousand processes that wait in read(2) on the same file.
 */
#ifndef TESTS_BENCH_CROWD_H
#define TESTS_BENCH_CROWD_H

#include <sys/types.h>

#define CROWD_SIZE 1000

struct crowd {
	pid_t pids[CROWD_SIZE];
	pid_t group;
};

/* Starts the processes, and returns when all of them wait. */
void crowd_start(struct crowd *crowd, const char *path);

/* Sends them SIGINT, and returns the seconds until the last one was gone. */
double crowd_end(struct crowd *crowd);

#endif
