/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes as files of the mount `ipc`.
 */
#ifndef TESTS_MOUNT_SIGNALS_H
#define TESTS_MOUNT_SIGNALS_H

#include <sys/types.h>

/* For child_start(): sleeps until a signal kills the process. */
int pause_for_ever(void *unused);

const char *process_path(pid_t pid);
/* As open(2). */
int process_open(pid_t pid, int flags);
/* Writes one text with one write(2). Returns 0 or the errno; of a short write, EMSGSIZE. */
int process_send(pid_t pid, const char *text);

/*
 * Starts a child with this pid, which must be free, and which sleeps until a signal kills it. Fails
 * the test if that can't be done.
 */
void process_recycle(pid_t pid);

#endif
