// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/sleeper.h"

#include <errno.h>

#include "lib/cleanup.h"

static void sleeper_work(struct worker_job *job)
{
	struct sleeper *sleeper = CONTAINER_OF(job, struct sleeper, job);

	do {
		sleeper->result = job->is_interrupted ? -EINTR : sleeper->call(sleeper);
	} while (sleeper->result == -EINTR && !job->is_interrupted);
}

static void sleeper_end(struct sleeper *sleeper)
{
	struct channel *channel = sleeper->channel;
	struct host *host = channel->space->host;

	host->n_sleeping--;
	user_uncharge(&host->users, sleeper->uid, USER_SLEEPS, 1);
	sleeper->ended(sleeper);
	channel_unref(channel);
}

static void sleeper_done(struct worker_job *job)
{
	sleeper_end(CONTAINER_OF(job, struct sleeper, job));
}

static void sleeper_run_end(struct loop_task *task)
{
	sleeper_end(CONTAINER_OF(task, struct sleeper, end));
}

/* One that found no thread would not sleep at all, and so is refused. */
int sleeper_start(struct sleeper *sleeper, struct channel *channel, uid_t uid)
{
	struct host *host = channel->space->host;
	int r;

	if (!host->sleepers || host->n_sleeping == HOST_SLEEPS_MAX)
		return -ENOBUFS;
	r = user_charge(&host->users, uid, USER_SLEEPS, 1);
	if (r < 0)
		return r;
	sleeper->job.work = sleeper_work;
	sleeper->job.done = sleeper_done;
	sleeper->end.run = sleeper_run_end;
	sleeper->channel = channel_ref(channel);
	sleeper->uid = uid;
	host->n_sleeping++;
	if (workers_submit(host->sleepers, &sleeper->job) == 0)
		return 0;
	host->n_sleeping--;
	user_uncharge(&host->users, uid, USER_SLEEPS, 1);
	channel_unref(channel);
	return -ENOBUFS;
}

void sleeper_stop(struct sleeper *sleeper)
{
	struct host *host = sleeper->channel->space->host;

	if (!host->sleepers || sleeper->end.is_queued)
		return; /* it has been told */
	if (workers_cancel(host->sleepers, &sleeper->job)) {
		sleeper->result = -EINTR;
		loop_defer(host->loop, &sleeper->end);
	} else {
		workers_interrupt(host->sleepers, &sleeper->job);
	}
}
