// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The service manager names the process that it has started, which is the supervisor, so
 * sd_watchdog_enabled(3) would tell the daemon that it is not meant.
 */
#include "fs/watchdog.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "fs/notify.h"
#include "fs/supervisor.h"
#include "lib/base/number.h"

#define SECOND UINT64_C(1000000) /* in the unit of the variable */

static uint64_t number_of(const char *name)
{
	const char *text = getenv(name);
	uint64_t number;

	return text && number_parse(text, strlen(text), INT64_MAX, &number) == 0 ? number : 0;
}

/* How often to report, in microseconds: twice as often as it is wanted; 0: never. */
static uint64_t interval(void)
{
	pid_t supervisor = supervisor_pid();
	uint64_t process = number_of("WATCHDOG_PID");

	if (process && process != (uint64_t)(supervisor ? supervisor : getpid()))
		return 0;
	return number_of("WATCHDOG_USEC") / 2;
}

static void watchdog_dispatch(struct loop_source *source, uint32_t events)
{
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) == sizeof(n))
		notify_alive();
}

int watchdog_start(struct loop *loop, struct loop_source *source)
{
	uint64_t time = interval();
	struct itimerspec often = {.it_interval = {.tv_sec = (time_t)(time / SECOND),
						   .tv_nsec = (long)(time % SECOND) * 1000}};

	if (!time)
		return 0;
	often.it_value = often.it_interval;
	source->dispatch = watchdog_dispatch;
	source->fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (source->fd < 0 || timerfd_settime(source->fd, 0, &often, NULL) < 0)
		return -errno;
	return loop_add(loop, source, EPOLLIN);
}
