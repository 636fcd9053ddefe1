// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The list of alarms is in order of time. A new one is nearly always the last, so its place is
 * looked for from the end. The timer is never set to a later time, only to an earlier one: it rings
 * in vain sometimes, and in exchange nothing is asked of the kernel when an alarm is cancelled.
 */
#include "lib/kinds/cluster/cluster_alarm.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/loop.h"

struct alarms {
	struct loop *loop; /* borrowed */
	struct loop_source timer;
	int64_t rings_at; /* when the timer rings; 0: it does not */
	struct alarm *set;
};

/* Makes sure that the timer rings no later than the first alarm. */
static void wind(struct alarms *alarms)
{
	const struct alarm *first = alarms->set;
	struct itimerspec at = {0};

	if (!first || (alarms->rings_at && alarms->rings_at <= first->at))
		return;
	alarms->rings_at = first->at > 0 ? first->at : 1;
	at.it_value.tv_sec = alarms->rings_at / CLOCK_S;
	at.it_value.tv_nsec = alarms->rings_at % CLOCK_S;
	timerfd_settime(alarms->timer.fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static void timer_dispatch(struct loop_source *source, uint32_t events)
{
	struct alarms *alarms = CONTAINER_OF(source, struct alarms, timer);
	int64_t now = clock_now();
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) < 0)
		return;
	alarms->rings_at = 0;
	while (alarms->set && alarms->set->at <= now) {
		struct alarm *alarm = alarms->set;

		alarm_cancel(alarm);
		alarm->ring(alarm);
	}
	wind(alarms);
}

int alarms_new(struct loop *loop, struct alarms **ret_alarms)
{
	CLEANUP_FREE struct alarms *alarms = calloc(1, sizeof(*alarms));
	int r;

	if (!alarms)
		return -ENOMEM;
	alarms->loop = loop;
	alarms->timer.dispatch = timer_dispatch;
	alarms->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (alarms->timer.fd < 0)
		return -errno;
	r = loop_add(loop, &alarms->timer, EPOLLIN);
	if (r < 0) {
		close(alarms->timer.fd);
		return r;
	}
	*ret_alarms = TAKE_PTR(alarms);
	return 0;
}

void alarms_free(struct alarms *alarms)
{
	if (!alarms)
		return;
	while (alarms->set)
		alarm_cancel(alarms->set);
	loop_remove(alarms->loop, &alarms->timer);
	close(alarms->timer.fd);
	free(alarms);
}

void alarm_set(struct alarms *alarms, struct alarm *alarm, int64_t at)
{
	struct alarm *before;

	alarm_cancel(alarm);
	alarm->alarms = alarms;
	alarm->at = at;
	before = alarms->set ? alarms->set->prev : NULL;
	while (before && before->at > at)
		before = before == alarms->set ? NULL : before->prev;
	if (before)
		DL_APPEND_ELEM(alarms->set, before, alarm);
	else
		DL_PREPEND(alarms->set, alarm);
	wind(alarms);
}

void alarm_cancel(struct alarm *alarm)
{
	if (!alarm->alarms)
		return;
	DL_DELETE(alarm->alarms->set, alarm);
	alarm->alarms = NULL;
}
