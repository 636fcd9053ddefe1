// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/base/workers.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/loop.h"

/* Threads that stay when there is nothing to do. */
#define IDLE_MAX 4
/* A signal may come just before the call that it was to interrupt, so it is sent again: ns. */
#define INTERRUPT_AGAIN 1000000
/* Whoever does not expect this one ignores it. */
#define INTERRUPT_SIGNAL SIGURG

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
	unsigned n_waiting, n_idle, n_threads, n_threads_max;
	bool is_ending;
	bool is_left; /* nobody listens any more */
};

static void tell_loop(struct workers *workers)
{
	uint64_t one = 1;

	while (write(workers->finished.fd, &one, sizeof(one)) < 0 && errno == EINTR)
		continue;
}

/* Runs one task; with the mutex held. */
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

static void *worker_run(void *data)
{
	struct worker *worker = data;
	struct workers *workers = worker->workers;

	pthread_mutex_lock(&workers->mutex);
	for (;;) {
		if (workers->waiting) {
			run_task(worker, workers->waiting);
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

/* Joins the threads that have ended or are about to. */
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

static void finish_tasks(struct workers *workers)
{
	struct worker_task *ended, *next;

	pthread_mutex_lock(&workers->mutex);
	ended = TAKE_PTR(workers->ended);
	pthread_mutex_unlock(&workers->mutex);
	for (; ended; ended = next) {
		next = ended->next;
		ended->done(ended);
	}
	join_exited(workers);
}

static void finished_dispatch(struct loop_source *source, uint32_t events)
{
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) == sizeof(n))
		finish_tasks(CONTAINER_OF(source, struct workers, finished));
}

static void set_timer(struct workers *workers, long interval)
{
	const struct itimerspec every = {.it_interval.tv_nsec = interval,
					 .it_value.tv_nsec = interval};

	timerfd_settime(workers->again.fd, 0, &every, NULL);
}

/* Sends a signal to each thread whose task is to be interrupted. True if there was one. */
static bool signal_interrupted(struct workers *workers)
{
	struct worker_task *task;
	bool found = false;

	DL_FOREACH(workers->running, task) {
		if (!task->is_interrupted)
			continue;
		pthread_kill(task->worker->thread, INTERRUPT_SIGNAL);
		found = true;
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
	if (!signal_interrupted(workers))
		set_timer(workers, 0);
	pthread_mutex_unlock(&workers->mutex);
}

static void do_nothing(int signal)
{
}

/* So that a system call which the signal comes in is not begun again. */
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

static void remove_descriptors(struct workers *workers)
{
	loop_remove(workers->loop, &workers->finished);
	loop_remove(workers->loop, &workers->again);
	if (workers->finished.fd >= 0)
		close(workers->finished.fd);
	if (workers->again.fd >= 0)
		close(workers->again.fd);
}

int workers_new(struct loop *loop, unsigned n_threads, struct workers **ret_workers)
{
	CLEANUP_FREE struct workers *workers = calloc(1, sizeof(*workers));
	int r;

	if (!workers)
		return -ENOMEM;
	workers->loop = loop;
	workers->n_threads_max = n_threads;
	workers->finished = (struct loop_source){.fd = -1, .dispatch = finished_dispatch};
	workers->again = (struct loop_source){.fd = -1, .dispatch = again_dispatch};
	r = add_descriptors(workers);
	if (r < 0) {
		remove_descriptors(workers);
		return r;
	}
	prepare_signal();
	pthread_mutex_init(&workers->mutex, NULL);
	pthread_cond_init(&workers->wanted, NULL);
	pthread_cond_init(&workers->exits, NULL);
	*ret_workers = TAKE_PTR(workers);
	return 0;
}

/* Has all tasks give up; with the mutex held. */
static void interrupt_all(struct workers *workers)
{
	struct worker_task *task;

	DL_FOREACH(workers->waiting, task) {
		task->is_interrupted = true;
	}
	DL_FOREACH(workers->running, task) {
		task->is_interrupted = true;
	}
	signal_interrupted(workers);
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

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Waits for the threads until then; true: none is left. */
static bool end_threads(struct workers *workers, long long until_ms)
{
	pthread_mutex_lock(&workers->mutex);
	workers->is_ending = true;
	pthread_cond_broadcast(&workers->wanted);
	while (workers->n_threads > 0 && now_ms() < until_ms) {
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

	finish_tasks(workers);
	remove_descriptors(workers);
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
		end(workers, now_ms() + milliseconds);
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
	if (signal_interrupted(workers))
		set_timer(workers, INTERRUPT_AGAIN);
	pthread_mutex_unlock(&workers->mutex);
}

/* Signals are the loop's, but for the one that interrupts. With the mutex held. */
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

int workers_submit(struct workers *workers, struct worker_task *task)
{
	int r = 0;

	task->is_interrupted = false;
	pthread_mutex_lock(&workers->mutex);
	/* An idle thread may have been woken for a task that it has not taken yet. */
	if (workers->n_waiting >= workers->n_idle && workers->n_threads < workers->n_threads_max)
		r = start_thread(workers);
	if (r == 0 || workers->n_threads > 0) {
		r = 0;
		DL_APPEND(workers->waiting, task);
		workers->n_waiting++;
		pthread_cond_signal(&workers->wanted);
	}
	pthread_mutex_unlock(&workers->mutex);
	return r < 0 ? -EAGAIN : 0;
}
