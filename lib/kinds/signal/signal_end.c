// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Waiting for the end of a process.
 *
 * A pidfd becomes readable when the process dies, and reports a hang-up when its parent has reaped
 * it. How it ended is known to the kernel's interface only from then on. A parent usually reaps at
 * once, but it need not ever. So the readers wait PATIENCE for the second event, and then hear only
 * that the process has ended. All files of a process share one pidfd, and all processes one clock.
 */
#include "lib/kinds/signal/signal_process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/host/exit_status.h"
#include "lib/kinds/signal/signal_names.h"

#define PATIENCE (100 * CLOCK_MS)

/* Sets the clock to the time when patience with the first dying process ends. */
static int set_clock(struct process_space *space)
{
	struct itimerspec at = {0};
	int64_t end;

	if (space->dying) {
		end = space->dying->died + PATIENCE;
		at.it_value = (struct timespec){end / CLOCK_S, end % CLOCK_S};
	}
	return timerfd_settime(space->clock.fd, TFD_TIMER_ABSTIME, &at, NULL) < 0 ? -errno : 0;
}

static void clock_dispatch(struct loop_source *source, uint32_t events)
{
	struct process_space *space = CONTAINER_OF(source, struct process_space, clock);
	struct process *process, *next;
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) != sizeof(n))
		return;
	DL_FOREACH_SAFE(space->dying, process, next) {
		if (process->died + PATIENCE > clock_now())
			break;
		DL_DELETE(space->dying, process);
		process->prev = NULL;
		channel_wake(&process->channel, EPOLLIN);
	}
	set_clock(space);
}

/* Notes that the process is dead but not reaped. */
static int note_death(struct process *process)
{
	struct process_space *space = process_space_from(process->channel.space);
	int r;

	if (process->died)
		return 0;
	process->died = clock_now();
	DL_APPEND(space->dying, process);
	r = loop_add(space->space.host->loop, &space->clock, EPOLLIN);
	return r < 0 ? r : set_clock(space);
}

size_t process_end_print(int status, char text[static PROCESS_END])
{
	char name[SIGNAL_NAME];

	if (status == PROCESS_END_UNKNOWN)
		return (size_t)snprintf(text, PROCESS_END, "ended\n");
	if (WIFEXITED(status))
		return (size_t)snprintf(text, PROCESS_END, "exited %d\n", WEXITSTATUS(status));
	return (size_t)snprintf(text, PROCESS_END, "killed %s%s\n",
				signal_name(WTERMSIG(status), name),
				WCOREDUMP(status) ? " core" : "");
}

int process_end(struct process *process, int *ret_status)
{
	struct host *host = process->channel.space->host;
	struct pollfd now = {.fd = process->pidfd.source.fd, .events = POLLIN};
	bool may_tell = features_has(&host->features, FEATURE_PIDFD_INFO);
	int r;

	/* Watched first: what happens after the look is an event. */
	r = readiness_watch(&process->pidfd);
	if (r == 0 && poll(&now, 1, 0) < 0)
		r = -errno;
	if (r < 0 || !now.revents)
		return r < 0 ? r : -EAGAIN;
	if (may_tell && exit_status(now.fd, ret_status) == 0)
		return 0;
	if (may_tell && !(now.revents & POLLHUP)) {
		r = note_death(process);
		if (r < 0)
			return r;
		if (clock_now() < process->died + PATIENCE)
			return -EAGAIN;
	}
	*ret_status = PROCESS_END_UNKNOWN;
	return 0;
}

void process_end_forget(struct process *process)
{
	struct process_space *space = process_space_from(process->channel.space);

	if (process->prev)
		DL_DELETE(space->dying, process);
	process->prev = NULL;
	process->died = 0;
}

int process_end_init(struct process_space *space)
{
	space->clock.dispatch = clock_dispatch;
	space->clock.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	return space->clock.fd < 0 ? -errno : 0;
}

void process_end_fini(struct process_space *space)
{
	loop_remove(space->space.host->loop, &space->clock);
	if (space->clock.fd >= 0)
		close(TAKE_FD(space->clock.fd));
}
