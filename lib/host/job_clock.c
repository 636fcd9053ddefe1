// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Jobs whose waiters wait only for a limited time (job_call::most). When the first of these jobs is
 * due, the clock looks through all of them.
 */
#include "lib/host/job_place.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"

static bool is_timed(const struct job *job)
{
	return job->until && job->waiter && job->state == JOB_RUNNING;
}

static void clock_set(struct host *host)
{
	int64_t next = 0;
	struct itimerspec at = {0};
	struct job *job;

	DL_FOREACH(host->jobs, job) {
		if (is_timed(job) && (!next || job->until < next))
			next = job->until;
	}
	at.it_value.tv_sec = next / CLOCK_S;
	at.it_value.tv_nsec = next % CLOCK_S;
	timerfd_settime(host->job_clock.fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static struct job *find_due(struct host *host, int64_t now)
{
	struct job *job;

	DL_FOREACH(host->jobs, job) {
		if (is_timed(job) && job->until <= now)
			return job;
	}
	return NULL;
}

static void clock_dispatch(struct loop_source *source, uint32_t events)
{
	struct host *host = CONTAINER_OF(source, struct host, job_clock);
	int64_t now = clock_now();
	struct job *job;
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) != sizeof(n))
		return;
	/* A resumed waiter may change the list, so the search starts over each time. */
	while ((job = find_due(host, now)) != NULL)
		if (job_expire(job) < 0)
			job->until = now + CLOCK_S;
	clock_set(host);
}

int job_clock_init(struct host *host)
{
	struct loop_source *clock = &host->job_clock;

	clock->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	clock->dispatch = clock_dispatch;
	if (clock->fd < 0)
		return -errno;
	return loop_add(host->loop, clock, EPOLLIN);
}

void job_clock_add(struct job *job)
{
	job->until = clock_now() + job->call.most;
	clock_set(job->host);
}

void job_clock_fini(struct host *host)
{
	loop_remove(host->loop, &host->job_clock);
	if (host->job_clock.fd >= 0)
		close(host->job_clock.fd);
}
