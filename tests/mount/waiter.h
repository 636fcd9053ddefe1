/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that waits for events on a descriptor, by poll, select or epoll.
 */
#ifndef TESTS_MOUNT_WAITER_H
#define TESTS_MOUNT_WAITER_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

enum method { POLL, SELECT, EPOLL, EPOLL_EDGE, N_METHODS };

struct waiter {
	pthread_t thread;
	_Atomic pid_t tid;
	enum method method;
	int fd;
	short events;
	short revents; /* in poll's bits, whatever the method; 0 if nothing woke it in 5 seconds */
};

/* Starts a thread that waits for those events. Returns when the thread sleeps. */
void waiter_start(struct waiter *waiter, int fd, short events, int method);
/* Waits for the thread to end. Returns the events that woke it. */
short waiter_end(struct waiter *waiter);

#endif
