// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One mutex protects all that the threads share with the loop's thread. An eventfd tells the loop
 * that tasks have ended; a timerfd makes the loop repeat the signals that interrupt tasks.
 */
#include "lib/base/workers.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/loop.h"
#include "lib/base/workers_state.h"

/* How many threads stay when there is nothing to do. */
#define IDLE_MAX 4
/* How long the loop finishes tasks before it handles other events, ns. */
#define SLICE 500000
/* SIGURG is ignored by default, so it is harmless where nobody expects it. */
#define INTERRUPT_SIGNAL SIGURG

static void tell_loop(struct workers *workers)
{
	uint64_t one = 1;

	while (write(workers->finished.fd, &one, sizeof(one)) < 0 && errno == EINTR)
		continue;
}

/* Runs one task. Called with the mutex held; work() runs without the mutex. */
static void run_task(struct worker *worker, struct worker_task *task)
{
	struct workers *workers = worker->workers;

	DL_DELETE(workers->waiting, task);
	workers->n_waiting--;
	task->worker = worker;
	DL_APPEND(workers->running, task);
	pthread_mutex_unlock(&workers->mutex);
	task->work(task);
	pthread_mutex_lock(&workers->mutex);
	DL_DELETE(workers->running, task);
	task->worker = NULL;
	DL_APPEND(workers->ended, task);
	if (!workers->is_left)
		tell_loop(workers);
}

/*
 * Whether another task of this owner may run. Tasks with a different share are counted separately.
 */
static bool has_share(const struct workers *workers, const struct worker_task *next)
{
	unsigned share = next->share ? next->share : workers->share;
	const struct worker_task *task;
	unsigned n = 0;

	if (share == WORKERS_AT_ONCE || workers->is_ending)
		return true;
	DL_FOREACH(workers->running, task) {
		n += task->owner == next->owner && task->share == next->share;
	}
	return n < share;
}

/*
 * Returns the oldest task whose turn it is. A thread that has ended a task looks for the next, so a
 * task that has to wait for its owner's other tasks is found by the thread that ends one of them.
 */
static struct worker_task *next_task(const struct workers *workers)
{
	struct worker_task *task;

	DL_FOREACH(workers->waiting, task) {
		if (has_share(workers, task))
			return task;
	}
	return NULL;
}

static void *worker_run(void *data)
{
	struct worker *worker = data;
	struct workers *workers = worker->workers;

	setpriority(PRIO_PROCESS, 0, 0); /* not the loop's priority, which may be higher */
	pthread_mutex_lock(&workers->mutex);
	for (;;) {
		struct worker_task *next = next_task(workers);

		if (next) {
			run_task(worker, next);
			continue;
		}
		if (workers->is_ending || workers->n_idle >= IDLE_MAX)
			break;
		workers->n_idle++;
		pthread_cond_wait(&workers->wanted, &workers->mutex);
		workers->n_idle--;
	}
	workers->n_threads--;
	DL_APPEND(workers->exited, worker);
	pthread_cond_signal(&workers->exits);
	pthread_mutex_unlock(&workers->mutex);
	return NULL;
}

/* Joins the threads that have exited or are about to. */
static void join_exited(struct workers *workers)
{
	struct worker *exited, *next;

	pthread_mutex_lock(&workers->mutex);
	exited = TAKE_PTR(workers->exited);
	pthread_mutex_unlock(&workers->mutex);
	DL_FOREACH_SAFE(exited, exited, next) {
		pthread_join(exited->thread, NULL);
		free(exited);
	}
}

/* Takes the task that ended first; NULL if none is left. */
static struct worker_task *take_ended(struct workers *workers)
{
	struct worker_task *ended;

	pthread_mutex_lock(&workers->mutex);
	ended = workers->ended;
	if (ended)
		DL_DELETE(workers->ended, ended);
	pthread_mutex_unlock(&workers->mutex);
	return ended;
}

void workers_finish_tasks(struct workers *workers)
{
	struct worker_task *ended;

	while ((ended = take_ended(workers)))
		ended->done(ended);
	join_exited(workers);
}

/*
 * Finishes tasks for one SLICE only. Many tasks may have ended, and done() may be slow: other
 * events must not wait for all of them.
 */
static void finished_dispatch(struct loop_source *source, uint32_t events)
{
	struct workers *workers = CONTAINER_OF(source, struct workers, finished);
	int64_t until = clock_now() + SLICE;
	struct worker_task *ended;
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) != sizeof(n))
		return;
	while ((ended = take_ended(workers))) {
		ended->done(ended);
		if (clock_now() < until)
			continue;
		tell_loop(workers);
		break;
	}
	join_exited(workers);
}

static void set_timer(struct workers *workers, long interval)
{
	const struct itimerspec every = {.it_interval.tv_nsec = interval,
					 .it_value.tv_nsec = interval};

	timerfd_settime(workers->again.fd, 0, &every, NULL);
}

bool workers_signal_interrupted(struct workers *workers)
{
	struct worker_task *task;
	bool found = false;

	DL_FOREACH(workers->running, task) {
		if (!task->is_interrupted)
			continue;
		pthread_kill(task->worker->thread, INTERRUPT_SIGNAL);
		found = true;
	}
	/* A task that has not begun gets the signal as soon as it runs. */
	DL_FOREACH(workers->waiting, task) {
		found = found || task->is_interrupted;
	}
	return found;
}

static void again_dispatch(struct loop_source *source, uint32_t events)
{
	struct workers *workers = CONTAINER_OF(source, struct workers, again);
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) != sizeof(n))
		return;
	pthread_mutex_lock(&workers->mutex);
	if (!workers_signal_interrupted(workers))
		set_timer(workers, 0);
	pthread_mutex_unlock(&workers->mutex);
}

static void do_nothing(int signal)
{
}

/* Installs the handler without SA_RESTART, so that an interrupted system call fails with EINTR. */
static void prepare_signal(void)
{
	const struct sigaction action = {.sa_handler = do_nothing};

	sigaction(INTERRUPT_SIGNAL, &action, NULL);
}

static int add_descriptors(struct workers *workers)
{
	int r;

	workers->finished.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (workers->finished.fd < 0)
		return -errno;
	workers->again.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (workers->again.fd < 0)
		return -errno;
	r = loop_add(workers->loop, &workers->finished, EPOLLIN);
	return r < 0 ? r : loop_add(workers->loop, &workers->again, EPOLLIN);
}

void workers_remove_descriptors(struct workers *workers)
{
	loop_remove(workers->loop, &workers->finished);
	loop_remove(workers->loop, &workers->again);
	if (workers->finished.fd >= 0)
		close(workers->finished.fd);
	if (workers->again.fd >= 0)
		close(workers->again.fd);
}

int workers_new(struct loop *loop, unsigned n_threads, unsigned share, struct workers **ret_workers)
{
	CLEANUP_FREE struct workers *workers = calloc(1, sizeof(*workers));
	int r;

	if (!workers)
		return -ENOMEM;
	workers->loop = loop;
	workers->n_threads_max = n_threads;
	workers->share = share;
	workers->finished = (struct loop_source){.fd = -1, .dispatch = finished_dispatch};
	workers->again = (struct loop_source){.fd = -1, .dispatch = again_dispatch};
	r = add_descriptors(workers);
	if (r < 0) {
		workers_remove_descriptors(workers);
		return r;
	}
	prepare_signal();
	pthread_mutex_init(&workers->mutex, NULL);
	pthread_cond_init(&workers->wanted, NULL);
	pthread_cond_init(&workers->exits, NULL);
	*ret_workers = TAKE_PTR(workers);
	return 0;
}

bool workers_cancel(struct workers *workers, struct worker_task *task)
{
	struct worker_task *waiting;

	pthread_mutex_lock(&workers->mutex);
	DL_FOREACH(workers->waiting, waiting) {
		if (waiting == task)
			break;
	}
	if (waiting) {
		DL_DELETE(workers->waiting, task);
		workers->n_waiting--;
	}
	pthread_mutex_unlock(&workers->mutex);
	return waiting;
}

void workers_interrupt(struct workers *workers, struct worker_task *task)
{
	pthread_mutex_lock(&workers->mutex);
	task->is_interrupted = true;
	if (workers_signal_interrupted(workers))
		set_timer(workers, INTERRUPT_AGAIN);
	pthread_mutex_unlock(&workers->mutex);
}

/*
 * Starts a thread. Called with the mutex held. The new thread gets only the signal that interrupts
 * tasks; all other signals are left to the loop's thread.
 */
static int start_thread(struct workers *workers)
{
	CLEANUP_FREE struct worker *worker = calloc(1, sizeof(*worker));
	sigset_t blocked, before;
	int error;

	if (!worker)
		return -ENOMEM;
	worker->workers = workers;
	sigfillset(&blocked);
	sigdelset(&blocked, INTERRUPT_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &blocked, &before);
	error = pthread_create(&worker->thread, NULL, worker_run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return -error;
	TAKE_PTR(worker);
	workers->n_threads++;
	return 0;
}

/* Finds a thread for one more task. Called with the mutex held. */
static int find_thread(struct workers *workers)
{
	int r = -EAGAIN;

	/* An idle thread may already have been woken for a task that it has not taken yet. */
	if (workers->n_waiting < workers->n_idle)
		return 0;
	if (workers->n_threads < workers->n_threads_max)
		r = start_thread(workers);
	return r < 0 && workers->share != WORKERS_AT_ONCE && workers->n_threads > 0 ? 0 : r;
}

int workers_submit(struct workers *workers, struct worker_task *task)
{
	int r;

	task->is_interrupted = false;
	pthread_mutex_lock(&workers->mutex);
	r = find_thread(workers);
	if (r == 0) {
		DL_APPEND(workers->waiting, task);
		workers->n_waiting++;
		pthread_cond_signal(&workers->wanted);
	}
	pthread_mutex_unlock(&workers->mutex);
	return r < 0 ? -EAGAIN : 0;
}
