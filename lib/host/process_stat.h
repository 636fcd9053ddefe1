/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /proc/PID/stat, as far as anybody here wants to know it.
 */
#ifndef IPCFS_PROCESS_STAT_H
#define IPCFS_PROCESS_STAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_stat {
	char state; /* as in proc_pid_stat(5) */
	pid_t parent;
	long n_threads;
	/*
	 * When it began, clock ticks since the machine was started. A later process with the same
	 * pid began at another time.
	 */
	uint64_t started;
};

/* Reads that of the process in the open directory /proc. Returns false if it can't be read. */
bool process_stat_read(int proc_fd, pid_t pid, struct process_stat *ret_stat);

#endif
