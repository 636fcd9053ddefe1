// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two barriers: the members wait at the first until there is work, and the caller waits at the
 * second until all have done theirs.
 */
#include "tests/bench/team.h"

#include <pthread.h>
#include <stdbool.h>

#include "tests/bench/must.h"

struct member {
	struct team *team;
	pthread_t thread;
	int number;
};

struct team {
	void (*work)(void *state, int member, size_t n);
	void *state;
	pthread_barrier_t begin, end;
	size_t n;
	bool is_over;
	int n_members;
	struct member members[];
};

static void *run(void *data)
{
	const struct member *member = data;
	struct team *team = member->team;
	size_t count = (size_t)team->n_members;

	for (;;) {
		pthread_barrier_wait(&team->begin);
		if (team->is_over)
			return NULL;
		team->work(team->state, member->number,
			   team->n / count + ((size_t)member->number < team->n % count));
		pthread_barrier_wait(&team->end);
	}
}

struct team *team_new(int n_members, void (*work)(void *state, int member, size_t n), void *state)
{
	struct team *team = calloc(1, sizeof(*team) + (size_t)n_members * sizeof(*team->members));

	if (!team)
		fail("out of memory");
	team->work = work;
	team->state = state;
	team->n_members = n_members;
	pthread_barrier_init(&team->begin, NULL, (unsigned)n_members + 1);
	pthread_barrier_init(&team->end, NULL, (unsigned)n_members + 1);
	for (int i = 0; i < n_members; i++) {
		team->members[i] = (struct member){.team = team, .number = i};
		if (pthread_create(&team->members[i].thread, NULL, run, &team->members[i]))
			fail("a thread cannot be started");
	}
	return team;
}

void team_work(struct team *team, size_t n)
{
	team->n = n;
	pthread_barrier_wait(&team->begin);
	pthread_barrier_wait(&team->end);
}

void team_free(struct team *team)
{
	if (!team)
		return;
	team->is_over = true;
	pthread_barrier_wait(&team->begin);
	for (int i = 0; i < team->n_members; i++)
		pthread_join(team->members[i].thread, NULL);
	pthread_barrier_destroy(&team->begin);
	pthread_barrier_destroy(&team->end);
	free(team);
}
