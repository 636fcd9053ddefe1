/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What workers.c and workers_end.c share.
 */
#ifndef IPCFS_WORKERS_STATE_H
#define IPCFS_WORKERS_STATE_H

#include <pthread.h>

#include "lib/base/loop.h"
#include "lib/base/workers.h"

/* A signal may come just before the call that it should interrupt, so it is sent again: ns. */
#define INTERRUPT_AGAIN 1000000

struct worker {
	pthread_t thread;
	struct workers *workers;
	struct worker *prev, *next; /* workers::exited */
};

struct workers {
	struct loop *loop;
	struct loop_source finished; /* eventfd */
	struct loop_source again;    /* timerfd; runs while a task that is running is interrupted */
	pthread_mutex_t mutex;       /* of what follows */
	pthread_cond_t wanted, exits;
	struct worker_task *waiting, *running, *ended;
	struct worker *exited; /* to be joined */
	unsigned n_waiting, n_idle, n_threads, n_threads_max, share;
	bool is_ending;
	bool is_left; /* nobody listens any more */
};

/* Sends a signal to each thread whose task is interrupted. True: there is such a task. */
bool workers_signal_interrupted(struct workers *workers);

/* Calls done() of what has ended, and joins the threads that have. */
void workers_finish_tasks(struct workers *workers);

void workers_remove_descriptors(struct workers *workers);

#endif
