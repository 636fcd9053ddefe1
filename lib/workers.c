// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/workers.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/cleanup.h"
#include "lib/loop.h"

#define THREADS_MAX 4

struct workers {
	struct loop *loop;
	struct loop_source finished; /* eventfd */
	pthread_mutex_t mutex;       /* of what follows */
	pthread_cond_t wanted;
	struct worker_job *waiting, *ended;
	unsigned n_waiting, n_idle;
	bool is_ending;

	pthread_t threads[THREADS_MAX];
	unsigned n_threads;
};

static void tell_loop(struct workers *workers)
{
	uint64_t one = 1;

	while (write(workers->finished.fd, &one, sizeof(one)) < 0 && errno == EINTR)
		continue;
}

static void *worker_run(void *data)
{
	struct workers *workers = data;

	pthread_mutex_lock(&workers->mutex);
	for (;;) {
		struct worker_job *job = workers->waiting;

		if (!job && workers->is_ending)
			break;
		if (!job) {
			workers->n_idle++;
			pthread_cond_wait(&workers->wanted, &workers->mutex);
			workers->n_idle--;
			continue;
		}
		LL_DELETE(workers->waiting, job);
		workers->n_waiting--;
		pthread_mutex_unlock(&workers->mutex);
		job->work(job);
		pthread_mutex_lock(&workers->mutex);
		LL_APPEND(workers->ended, job);
		tell_loop(workers);
	}
	pthread_mutex_unlock(&workers->mutex);
	return NULL;
}

static void finish_jobs(struct workers *workers)
{
	struct worker_job *ended, *next;

	pthread_mutex_lock(&workers->mutex);
	ended = TAKE_PTR(workers->ended);
	pthread_mutex_unlock(&workers->mutex);
	for (; ended; ended = next) {
		next = ended->next;
		ended->done(ended);
	}
}

static void workers_dispatch(struct loop_source *source, uint32_t events)
{
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) == sizeof(n))
		finish_jobs(CONTAINER_OF(source, struct workers, finished));
}

int workers_new(struct loop *loop, struct workers **ret_workers)
{
	CLEANUP_FREE struct workers *workers = calloc(1, sizeof(*workers));
	int r;

	if (!workers)
		return -ENOMEM;
	workers->loop = loop;
	workers->finished.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	workers->finished.dispatch = workers_dispatch;
	if (workers->finished.fd < 0)
		return -errno;
	r = loop_add(loop, &workers->finished, EPOLLIN);
	if (r < 0) {
		close(workers->finished.fd);
		return r;
	}
	pthread_mutex_init(&workers->mutex, NULL);
	pthread_cond_init(&workers->wanted, NULL);
	*ret_workers = TAKE_PTR(workers);
	return 0;
}

void workers_free(struct workers *workers)
{
	if (!workers)
		return;
	pthread_mutex_lock(&workers->mutex);
	workers->is_ending = true;
	pthread_cond_broadcast(&workers->wanted);
	pthread_mutex_unlock(&workers->mutex);
	for (unsigned i = 0; i < workers->n_threads; i++)
		pthread_join(workers->threads[i], NULL);
	finish_jobs(workers);
	loop_remove(workers->loop, &workers->finished);
	close(workers->finished.fd);
	pthread_cond_destroy(&workers->wanted);
	pthread_mutex_destroy(&workers->mutex);
	free(workers);
}

bool workers_cancel(struct workers *workers, struct worker_job *job)
{
	struct worker_job *waiting;

	pthread_mutex_lock(&workers->mutex);
	LL_FOREACH(workers->waiting, waiting) {
		if (waiting == job)
			break;
	}
	if (waiting) {
		LL_DELETE(workers->waiting, job);
		workers->n_waiting--;
	}
	pthread_mutex_unlock(&workers->mutex);
	return waiting;
}

/* Signals are the loop's. */
static int start_thread(struct workers *workers)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&workers->threads[workers->n_threads], NULL, worker_run, workers);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		return -error;
	workers->n_threads++;
	return 0;
}

int workers_submit(struct workers *workers, struct worker_job *job)
{
	bool is_short;

	pthread_mutex_lock(&workers->mutex);
	/* An idle thread may have been woken for a job that it has not taken yet. */
	is_short = workers->n_waiting >= workers->n_idle && workers->n_threads < THREADS_MAX;
	pthread_mutex_unlock(&workers->mutex);
	if (is_short && start_thread(workers) < 0 && workers->n_threads == 0)
		return -EAGAIN;
	job->next = NULL;
	pthread_mutex_lock(&workers->mutex);
	LL_APPEND(workers->waiting, job);
	workers->n_waiting++;
	pthread_cond_signal(&workers->wanted);
	pthread_mutex_unlock(&workers->mutex);
	return 0;
}
