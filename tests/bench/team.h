/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that share one piece of work, so that as many calls are under way at a time.
 */
#ifndef TESTS_BENCH_TEAM_H
#define TESTS_BENCH_TEAM_H

#include <stddef.h>

struct team;

/* Starts the threads. Each calls work() with its number and its share of the work. */
struct team *team_new(int n_members, void (*work)(void *state, int member, size_t n), void *state);
/* Does the work n times in all, and returns when all of it is done. */
void team_work(struct team *team, size_t n);
void team_free(struct team *team);

#endif
