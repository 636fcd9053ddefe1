/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which processes are there, by /proc: whether one that is known by its number has ended, and
 * how old the processes of a user are.
 */
#ifndef IPCFS_PROCESSES_H
#define IPCFS_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* The times of processes and of events may be wrong by this much, seconds. */
#define PROCESSES_SLACK 2

/* Returns when the machine was started, by the clock as it is set now: CLOCK_REALTIME, seconds. */
time_t processes_find_boot(void);

/*
 * Whether the process that had this number at the time `then` (CLOCK_REALTIME, seconds) has ended:
 * there is none, or one that began later. The daemon itself counts as ended: it acts for others. If
 * the clock has been set since, so that `then` is before the machine was started, any process with
 * the number counts as that one.
 */
bool process_has_ended(pid_t pid, time_t then);

struct processes_user {
	uid_t uid;
	time_t oldest; /* when the oldest process of the user began; 0: unknown, or not asked */
};

/* A uid that stands for all users but root. */
#define PROCESSES_ANYBODY ((uid_t)-1)

/* What `oldest` is for a user without processes. */
#define PROCESSES_NONE INT64_MAX

/*
 * Finds the oldest process of each of these users: one that has the uid as any of its user ids.
 * Neither kernel threads count, nor the daemon, its supervisor (0: there is none) and the children
 * of both. Walks all of /proc, at some 10 us for each process: call it on a worker. Fails as
 * opendir(3) does.
 */
int processes_find_oldest(struct processes_user *users, size_t n, pid_t supervisor);

/* Whether any process of the machine sleeps in msgrcv(2). */
struct processes_receivers {
	bool are_there;
	bool can_tell; /* else there may be some: the kernel or our rights do not show it */
};

/* Finds that out, at some 20 us for each process. Fails as opendir(3) does. */
int processes_find_receivers(struct processes_receivers *ret_receivers);

#endif
