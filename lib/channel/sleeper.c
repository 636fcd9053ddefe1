// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A signal that was not meant to stop the sleeper only makes it repeat its call.
 */
#include "lib/channel/sleeper.h"

#include <errno.h>

#include "lib/base/cleanup.h"

static void sleeper_work(struct worker_task *task)
{
	struct sleeper *sleeper = CONTAINER_OF(task, struct sleeper, task);

	do {
		sleeper->result = task->is_interrupted ? -EINTR : sleeper->call(sleeper);
	} while (sleeper->result == -EINTR && !task->is_interrupted);
}

static void sleeper_end(struct sleeper *sleeper)
{
	struct channel *channel = sleeper->channel;
	struct host *host = channel->space->host;

	host_slept(host, sleeper->uid);
	sleeper->ended(sleeper);
	channel_unref(channel);
}

static void sleeper_done(struct worker_task *task)
{
	sleeper_end(CONTAINER_OF(task, struct sleeper, task));
}

static void sleeper_run_end(struct loop_task *task)
{
	sleeper_end(CONTAINER_OF(task, struct sleeper, end));
}

int sleeper_start(struct sleeper *sleeper, struct channel *channel, uid_t uid)
{
	int r;

	sleeper->task.work = sleeper_work;
	sleeper->task.done = sleeper_done;
	sleeper->end.run = sleeper_run_end;
	sleeper->uid = uid;
	r = host_sleep(channel->space->host, channel->space->host->sleepers, uid, &sleeper->task);
	if (r == 0)
		sleeper->channel = channel_ref(channel);
	return r;
}

void sleeper_stop(struct sleeper *sleeper)
{
	struct host *host = sleeper->channel->space->host;

	if (!host->sleepers || sleeper->end.is_queued)
		return; /* it was stopped already */
	if (workers_cancel(host->sleepers, &sleeper->task)) {
		sleeper->result = -EINTR;
		loop_defer(host->loop, &sleeper->end);
	} else {
		workers_interrupt(host->sleepers, &sleeper->task);
	}
}
