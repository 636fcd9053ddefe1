// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The daemon's side of the supervisor.
 *
 * The mount has to end with the supervisor, so the daemon has to learn of its end. The kernel's
 * PR_SET_PDEATHSIG tells it, but only until the daemon first acts as a caller: a change of ids
 * clears it (kernel/cred.c, commit_creds). After that a pidfd in the loop tells it.
 */
#include "fs/supervisor_daemon.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/state.h"

static struct supervisor_area *area;

_Static_assert(sizeof(struct supervisor_area) <= STATE_AREA_SIZE, "an area has this size");

struct supervisor_area *supervisor_area(const struct state *state)
{
	return state_area(state, STATE_SUPERVISOR);
}

void supervisor_daemon_begin(struct supervisor_area *its_area, pid_t supervisor)
{
	area = its_area;
	area->daemon = getpid();
	if (!supervisor)
		return;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != supervisor)
		raise(SIGTERM);
}

pid_t supervisor_pid(void)
{
	return area ? area->supervisor : 0;
}

void supervisor_ready(void)
{
	if (area)
		area->ready = clock_now();
}

uint32_t supervisor_reloads(void)
{
	return area ? area->n_reloads : 0;
}

void supervisor_reloaded(uint32_t n_reloads)
{
	if (area)
		area->n_reloaded = n_reloads;
}

int supervisor_watch(struct loop *loop, struct loop_source *source)
{
	pid_t supervisor = supervisor_pid();

	if (!supervisor)
		return 0;
	source->fd = (int)syscall(SYS_pidfd_open, supervisor, 0);
	if (source->fd < 0 && errno != ESRCH)
		return -errno;
	/* It may be gone, and another process may have its number. */
	if (getppid() != supervisor)
		raise(SIGTERM);
	return source->fd < 0 ? 0 : loop_add(loop, source, EPOLLIN);
}
