// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loaded into daemons (LD_PRELOAD) for faults.bats, to give them faults that real ones do not have
 * or rarely meet.
 *
 * A daemon that sends a message beginning with "poison" to a queue crashes. While $IPCFS_FAULTS has
 * a file `lack`, a daemon that begins gets ENOMEM; the one that finds a file `hang` there removes
 * it, and hangs.
 */
#include <errno.h>
#include <mqueue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

/* SIGABRT, because AddressSanitizer has a handler for SIGSEGV, which exits. */
int mq_send(mqd_t queue, const char *text, size_t size, unsigned priority)
{
	if (size >= 6 && memcmp(text, "poison", 6) == 0)
		abort();
	return (int)syscall(SYS_mq_timedsend, queue, text, size, priority, NULL);
}

static const char *path_of(const char *name)
{
	static char path[4096];
	const char *directory = getenv("IPCFS_FAULTS");

	snprintf(path, sizeof(path), "%s/%s", directory ? directory : "", name);
	return path;
}

/* A daemon calls this once, when it begins. */
int epoll_create1(int flags)
{
	if (unlink(path_of("hang")) == 0)
		for (;;)
			pause();
	if (access(path_of("lack"), F_OK) == 0) {
		errno = ENOMEM;
		return -1;
	}
	return (int)syscall(SYS_epoll_create1, flags);
}
