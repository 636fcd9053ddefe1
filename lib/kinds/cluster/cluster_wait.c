// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Lookups and listings that come before the names.
 *
 * Right after the mount, and right after the link has come up for the first time, names will be
 * there in a moment, so it is worth waiting for them; but never long, as the kernel may hold a
 * directory's lock meanwhile, and whoever looks at all of the mount looks at cluster/ too. When
 * that moment is over, nobody waits any more.
 */
#include "lib/kinds/cluster/cluster.h"

#include <errno.h>
#include <string.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/kinds/cluster/accounts.h"

#define PATIENCE (900 * CLOCK_MS)

/* The data of the job that waits. */
struct names_wait {
	struct cluster *cluster;
	struct job *job;
	unsigned round;                 /* cluster::n_rounds, when it began */
	struct names_wait *prev, *next; /* cluster::waits */
};

static int wait_begin(struct job *job, struct host *host, void *data)
{
	struct names_wait *wait = data;

	wait->job = job;
	wait->round = wait->cluster->n_rounds;
	DL_APPEND(wait->cluster->waits, wait);
	return 0;
}

static void wait_leave(struct host *host, void *data)
{
	struct names_wait *wait = data;

	DL_DELETE(wait->cluster->waits, wait);
}

/* Only tells this call from others. */
static int wait_act(void *data)
{
	return 0;
}

/* Waits until something has changed. */
static int wait_round(struct cluster *cluster, struct caller *caller, int64_t until)
{
	struct names_wait wait;

	if (!alarm_is_set(&cluster->impatience) || cluster->impatience.at > until)
		alarm_set(cluster->alarms, &cluster->impatience, until);
	memset(&wait, 0, sizeof(wait)); /* job_run() compares all of it */
	wait.cluster = cluster;
	return job_run(cluster->host, caller,
		       &(struct job_call){.place = JOB_ELSEWHERE,
					  .begin = wait_begin,
					  .leave = wait_leave,
					  .act = wait_act,
					  .data = &wait,
					  .size = sizeof(wait),
					  .n_key = sizeof(struct cluster *)});
}

/* Those who look again may wait again: they are the next round's. */
void cluster_end_waits(struct cluster *cluster)
{
	cluster->n_rounds++;
	while (cluster->waits && cluster->waits->round != cluster->n_rounds) {
		struct names_wait *wait = cluster->waits;

		DL_DELETE(cluster->waits, wait);
		job_end(wait->job, 0);
	}
}

/* Ends the round that the caller has waited for: what has changed since says what comes next. */
static void take_round(struct caller *caller)
{
	int r;

	job_take_result(caller->waiter, wait_act, &r);
}

int cluster_await_names(struct cluster *cluster, struct caller *caller)
{
	int64_t now = clock_now();

	take_round(caller);
	if (cluster_is_known(cluster))
		return 0;
	if (!cluster->patience)
		cluster->patience = now + PATIENCE;
	if (cluster->patience <= now)
		return -EHOSTDOWN;
	return wait_round(cluster, caller, cluster->patience);
}

int cluster_await_owner(struct cluster_object *object, struct caller *caller)
{
	struct accounts *accounts = object->cluster->accounts;
	int64_t user, group, until;

	take_round(caller);
	if (object->is_adopted)
		return 0;
	cluster_object_refresh(object);
	user = accounts_await(accounts, ACCOUNT_USER, object->entry.owner);
	group = accounts_await(accounts, ACCOUNT_GROUP, object->entry.group);
	until = user > group ? user : group;
	return until <= clock_now() ? 0 : wait_round(object->cluster, caller, until);
}

int cluster_await_entry(struct cluster_object *object, struct caller *caller)
{
	return object->is_adopted ? cluster_await_names(object->cluster, caller) : 0;
}
