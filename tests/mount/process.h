/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Child processes of a test, and what /proc says of processes and threads. A child's body
 * returns its exit status: 0 for success, by custom an errno otherwise. Every wait has an end,
 * and fails the test there.
 */
#ifndef TESTS_MOUNT_PROCESS_H
#define TESTS_MOUNT_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Asks every millisecond until it is true; false if it is not within so many milliseconds. */
bool wait_until(bool (*predicate)(void *), void *arg, int milliseconds);

/* Microseconds on the monotonic clock. */
long long now_us(void);

pid_t child_start(int (*body)(void *), void *arg);
/* The same as user and group `id`, with no other group and no capability. */
pid_t child_start_as(unsigned int id, int (*body)(void *), void *arg);
bool child_has_ended(pid_t pid, int milliseconds);
/* The wait status; a child that does not end within 20 seconds fails the test. */
int child_end(pid_t pid);
/* Runs the body and fails the test unless it returns 0. */
void child_must(int (*body)(void *), void *arg);
void child_must_as(unsigned int id, int (*body)(void *), void *arg);
/* Runs the body as that user and gives its exit status. */
int child_code_as(unsigned int id, int (*body)(void *), void *arg);

/* A child of that process that is the user's, or 0. */
pid_t task_find_child(pid_t parent, unsigned int uid);
/* The letter of /proc/PID/stat, for a process or a thread; 0 when there is none. */
char task_state(pid_t tid);
/* The system call a task sleeps in, or -1 when it runs or is gone. */
long task_syscall(pid_t tid);
/* Fails the test unless the task comes to sleep, interruptibly, in that system call. */
void task_must_block(pid_t tid, long syscall);
/*
 * Fails the test unless the task comes to wait in open(2) for the other end of a FIFO. The call
 * alone may still be about the name.
 */
void task_must_wait_for_partner(pid_t tid);
/* True if the task stayed in D state for 50 milliseconds on end. */
bool task_is_stuck(pid_t tid);

/* A handler that only interrupts, without SA_RESTART. */
void signal_interrupts(int signal);

#endif
