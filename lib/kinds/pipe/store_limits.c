// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which capacity a caller may give a pipe: what the kernel would give its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <unistd.h>

#include "lib/kinds/pipe/store.h"

#define MAX_DEFAULT ((size_t)1 << 20) /* pipe_max_size, linux/fs/pipe.c */

/* Tries the capacity on a new pipe: the kernel has its own rules for what it refuses. */
static int try_pipe(size_t capacity)
{
	int fds[2];
	int r;

	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0)
		return errno == EMFILE ? -ENFILE : -errno;
	r = fcntl(fds[1], F_SETPIPE_SZ, (int)capacity) < 0 ? -errno : 0;
	close(fds[0]);
	close(fds[1]);
	return r;
}

size_t store_max(void)
{
	unsigned long most = MAX_DEFAULT;
	FILE *file = fopen("/proc/sys/fs/pipe-max-size", "re");

	if (file && fscanf(file, "%lu", &most) != 1)
		most = MAX_DEFAULT;
	if (file)
		fclose(file);
	return most;
}

int store_check(size_t capacity, struct caller *caller)
{
	if (caller_has(caller, CAP_SYS_RESOURCE))
		return try_pipe(capacity);
	return capacity <= store_max() ? 0 : -EPERM;
}
