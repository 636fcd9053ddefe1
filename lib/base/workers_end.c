// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How workers end. The signals are repeated until every thread has gone or the time is up, because
 * a signal may come just before the call that it should interrupt.
 */
#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <utlist.h>

#include "lib/base/clock.h"
#include "lib/base/workers_state.h"

/* Interrupts the waiting and the running tasks. Called with the mutex held. */
static void interrupt_all(struct workers *workers)
{
	struct worker_task *task;

	DL_FOREACH(workers->waiting, task) {
		task->is_interrupted = true;
	}
	DL_FOREACH(workers->running, task) {
		task->is_interrupted = true;
	}
	workers_signal_interrupted(workers);
}

bool workers_hurry(struct workers *workers)
{
	bool is_busy;

	pthread_mutex_lock(&workers->mutex);
	interrupt_all(workers);
	is_busy = workers->waiting || workers->running;
	pthread_mutex_unlock(&workers->mutex);
	return is_busy;
}

static void await_exit(struct workers *workers)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += INTERRUPT_AGAIN;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_cond_timedwait(&workers->exits, &workers->mutex, &until);
}

/*
 * Ends the threads, and waits for them until `until_ms` at most. Returns true if no thread is left.
 */
static bool end_threads(struct workers *workers, long long until_ms)
{
	pthread_mutex_lock(&workers->mutex);
	workers->is_ending = true;
	pthread_cond_broadcast(&workers->wanted);
	while (workers->n_threads > 0 && clock_now() / CLOCK_MS < until_ms) {
		interrupt_all(workers);
		await_exit(workers);
	}
	workers->is_left = workers->n_threads > 0;
	pthread_mutex_unlock(&workers->mutex);
	return !workers->is_left;
}

static void destroy(struct workers *workers)
{
	pthread_cond_destroy(&workers->wanted);
	pthread_cond_destroy(&workers->exits);
	pthread_mutex_destroy(&workers->mutex);
	free(workers);
}

static void end(struct workers *workers, long long until_ms)
{
	bool is_ended = end_threads(workers, until_ms);

	workers_finish_tasks(workers);
	workers_remove_descriptors(workers);
	if (is_ended)
		destroy(workers);
}

void workers_free(struct workers *workers)
{
	if (workers)
		end(workers, LLONG_MAX);
}

void workers_leave(struct workers *workers, unsigned milliseconds)
{
	if (workers)
		end(workers, clock_now() / CLOCK_MS + milliseconds);
}
