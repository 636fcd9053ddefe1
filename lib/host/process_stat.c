// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The fields are numbers, except for the name of the process, which may contain anything.
 */
#include "lib/host/process_stat.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

/* More than 52 fields have. */
#define TEXT_MAX 1536

bool process_stat_read(int proc_fd, pid_t pid, struct process_stat *ret_stat)
{
	char path[32], text[TEXT_MAX];
	CLEANUP_FD int fd = -1;
	const char *rest;
	ssize_t n;

	snprintf(path, sizeof(path), "%d/stat", pid);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	rest = strrchr(text, ')');
	return rest && sscanf(rest + 1,
			      " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
			      "%ld %*d %" SCNu64,
			      &ret_stat->state, &ret_stat->parent, &ret_stat->n_threads,
			      &ret_stat->started) == 4;
}
