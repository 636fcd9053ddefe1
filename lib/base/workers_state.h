/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What workers.c and workers_end.c share.
 */
#ifndef IPCFS_WORKERS_STATE_H
#define IPCFS_WORKERS_STATE_H

#include <pthread.h>

#include "lib/base/loop.h"
#include "lib/base/workers.h"

/*
 * The time between two signals, ns. A signal may come just before the call that it should
 * interrupt, so it is repeated.
 */
#define INTERRUPT_AGAIN 1000000

struct worker {
	pthread_t thread;
	struct workers *workers;
	struct worker *prev, *next; /* workers::exited */
};

struct workers {
	struct loop *loop;
	struct loop_source finished; /* eventfd: tasks have ended */
	struct loop_source again;    /* timerfd: runs while an interrupted task has not ended */
	pthread_mutex_t mutex;       /* protects what follows */
	pthread_cond_t wanted, exits;
	struct worker_task *waiting, *running, *ended;
	struct worker *exited; /* not joined yet */
	unsigned n_waiting, n_idle, n_threads, n_threads_max, share;
	bool is_ending;
	bool is_left; /* workers_leave() gave up on threads: nobody reads `finished` any more */
};

/*
 * Sends a signal to each thread whose task has is_interrupted set. Returns whether such a task is
 * running or waiting. Called with the mutex held.
 */
bool workers_signal_interrupted(struct workers *workers);

/* Calls done() for the tasks that have ended, and joins the threads that have exited. */
void workers_finish_tasks(struct workers *workers);

void workers_remove_descriptors(struct workers *workers);

#endif
