/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A random walk with a seed. Each operation is done twice, on a native object and on one in the
 * mount, and both must give the same result and errno. A walk that fails prints its seed and its
 * last operations; IPCFS_SEED repeats it.
 */
#ifndef TESTS_MOUNT_RANDOM_H
#define TESTS_MOUNT_RANDOM_H

#include <errno.h>
#include <stdint.h>

enum { N_STEPS = 20000 };

struct walk {
	uint64_t seed;
	uint64_t state;
	long step;
	char notes[16][160]; /* ring of the last operations */
};

struct result {
	long value;
	int error;
};

/* Makes a call. The value of the expression is the call's result. */
#define result_of(call)                                                        \
	({                                                                     \
		errno = 0;                                                     \
		long result_value = (long)(call);                              \
		(struct result){result_value, result_value == -1 ? errno : 0}; \
	})

void walk_init(struct walk *walk);
/* A random number below n. */
unsigned int walk_random(struct walk *walk, unsigned int n);
/* True once in n times, on average. */
int walk_once_in(struct walk *walk, unsigned int n);
/* One of the n values. */
int walk_pick(struct walk *walk, const int *values, unsigned int n);
/* Fills a buffer with bytes that differ from one call to the next. */
void walk_bytes(struct walk *walk, unsigned char *buf, unsigned int size);
/* Begins the next step and notes what it is, for the report of a failure. */
__attribute__((format(printf, 2, 3))) void walk_step(struct walk *walk, const char *format, ...);
/* Fails the test, with the seed and the last steps. */
__attribute__((format(printf, 2, 3), noreturn)) void walk_fail(const struct walk *walk,
							       const char *format, ...);
/* Fails the test unless both results are the same. */
void walk_compare(const struct walk *walk, struct result native, struct result mount);

/* The walks. Each takes N_STEPS steps. */
void random_pipes(struct walk *walk);
void random_queues(struct walk *walk);
void random_shm(struct walk *walk);
void random_topics(struct walk *walk); /* beside a model: nothing is native */

#endif
