/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A test's child processes, and what /proc says about processes and threads. A child's body returns
 * its exit status: 0 for success, by convention an errno otherwise. Every wait is bounded, and
 * fails the test when its time is up.
 */
#ifndef TESTS_MOUNT_PROCESS_H
#define TESTS_MOUNT_PROCESS_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * Polls the predicate every millisecond until it is true. Returns false if that takes longer than
 * `milliseconds`.
 */
bool wait_until(bool (*predicate)(void *), void *arg, int milliseconds);

/* Microseconds on the monotonic clock. */
long long now_us(void);

pid_t child_start(int (*body)(void *), void *arg);
/* Starts the child as user and group `id`, with no other groups and no capabilities. */
pid_t child_start_as(unsigned int id, int (*body)(void *), void *arg);
bool child_has_ended(pid_t pid, int milliseconds);
/*
 * Waits for a child and returns its wait status. Fails the test if the child does not end within 20
 * seconds.
 */
int child_end(pid_t pid);
/* Runs the body in a child and fails the test unless it returns 0. */
void child_must(int (*body)(void *), void *arg);
void child_must_as(unsigned int id, int (*body)(void *), void *arg);
/* Runs the body as user `id` and returns its exit status. */
int child_code_as(unsigned int id, int (*body)(void *), void *arg);

/* A child of `parent` that belongs to user `uid`, or 0. */
pid_t task_find_child(pid_t parent, unsigned int uid);
/* The state letter in /proc/PID/stat, for a process or a thread; 0 if there is none. */
char task_state(pid_t tid);
/* The system call that the task sleeps in, or -1 if the task is running or gone. */
long task_syscall(pid_t tid);
/*
 * Waits until the task sleeps, interruptibly, in that system call. Fails the test if it does not.
 */
void task_must_block(pid_t tid, long syscall);
/*
 * Waits until the task is waiting in open(2) for the other end of a FIFO. Fails the test if it does
 * not come to that. That the task sleeps in the system call is not enough: it may still be looking
 * the name up.
 */
void task_must_wait_for_partner(pid_t tid);
/* Whether the task stayed in D state for two seconds without a break. */
bool task_is_stuck(pid_t tid);

/*
 * Installs a handler without SA_RESTART that does nothing, so that the signal interrupts system
 * calls.
 */
void signal_interrupts(int signal);

#endif
