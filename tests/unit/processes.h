/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Children of the test, as files of the kind signals.
 */
#ifndef TESTS_UNIT_PROCESSES_H
#define TESTS_UNIT_PROCESSES_H

#include "lib/channel/channel.h"

enum { PROCESS_CODE = 7 };

/* Starts a child that ends with PROCESS_CODE when it gets SIGUSR1, and with the test. */
pid_t process_start(void);
/* Starts a child with this pid, which must be free. */
void process_start_with_pid(pid_t pid);
/* Waits for the child to end. */
void process_reap(pid_t pid);

/* The name of its file. Valid until the next call. */
const char *process_name(pid_t pid);
struct file *process_open_file(pid_t pid, int flags);

#endif
