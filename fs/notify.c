// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Without libsystemd the functions are empty.
 *
 * The service manager has started the supervisor, and takes no messages from other processes. So
 * they are sent in its name, which needs CAP_SYS_ADMIN. Without that right they are sent in our own
 * name, which the manager accepts with NotifyAccess=all.
 */
#include "fs/notify.h"

#ifdef HAVE_LIBSYSTEMD

#include <stdint.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "fs/supervisor.h"

void notify_ready(void)
{
	sd_pid_notify(supervisor_pid(), 0, "READY=1");
}

/*
 * With Type=notify-reload, systemd tells by the time whether this answers its latest signal or an
 * earlier one.
 */
void notify_reloading(void)
{
	struct timespec now;
	uint64_t microseconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	microseconds = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	sd_pid_notifyf(supervisor_pid(), 0, "RELOADING=1\nMONOTONIC_USEC=%llu",
		       (unsigned long long)microseconds);
}

void notify_stopping(void)
{
	sd_pid_notify(supervisor_pid(), 0, "STOPPING=1");
}

void notify_alive(void)
{
	sd_pid_notify(supervisor_pid(), 0, "WATCHDOG=1");
}

#else

void notify_ready(void)
{
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}

void notify_alive(void)
{
}

#endif
