/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another user, who does ordinary things in a loop and notes how long each took.
 */
#ifndef TESTS_BENCH_WITNESS_H
#define TESTS_BENCH_WITNESS_H

#include <stdatomic.h>

enum { N_DEEDS = 6, NOTES_MAX = 20000 };

struct scene;

/* The witness's notes. They are in shared memory, because a witness that hangs can't report. */
struct testimony {
	atomic_int deed; /* in progress, or -1 */
	atomic_bool is_done;
	struct {
		atomic_uint n, n_failed;
		atomic_int error; /* of the last failure */
		double seconds[NOTES_MAX];
	} notes[N_DEEDS];
};

const char *witness_deed(int deed);

/* Does the deeds for this many seconds, in this process. */
void witness_run(struct scene *scene, double seconds);

#endif
