// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process's first thread has the process's number. For other threads /proc knows the process, but
 * /proc need not be read while a thread still belongs to the process that was found last. Asking
 * the kernel (tgkill(2) without a signal) checks both numbers, so a recycled one is never taken for
 * its predecessor.
 */
#include "lib/host/thread.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/cleanup.h"

/* Whether `thread` is one of that process. */
static bool is_thread_of(pid_t process, pid_t thread)
{
	return process && syscall(SYS_tgkill, process, thread, 0) == 0;
}

/* Reads /proc/TID/status. Returns 0 if that can't be seen. */
static pid_t find_process(pid_t thread)
{
	CLEANUP_FREE char *line = NULL;
	size_t size = 0;
	pid_t process = 0;
	char path[32];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", thread);
	file = fopen(path, "re");
	if (!file)
		return 0;
	while (!process && getline(&line, &size, file) > 0)
		if (strncmp(line, "Tgid:", 5) == 0)
			process = (pid_t)strtol(line + 5, NULL, 10);
	fclose(file);
	return is_thread_of(process, thread) ? process : 0;
}

pid_t thread_process_quickly(pid_t thread, pid_t last)
{
	if (!thread || is_thread_of(last, thread))
		return thread ? last : 0;
	return is_thread_of(thread, thread) ? thread : 0;
}

pid_t thread_process(pid_t thread, pid_t last)
{
	pid_t process = thread_process_quickly(thread, last);

	return process || !thread ? process : find_process(thread);
}
