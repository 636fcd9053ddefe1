/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that waits for events on a descriptor, by one of the methods that there are.
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

/* Starts a thread that waits for those events, and returns once it sleeps. */
void waiter_start(struct waiter *waiter, int fd, short events, int method);
/* Returns the events that woke it. */
short waiter_end(struct waiter *waiter);

#endif
