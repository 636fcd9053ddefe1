// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The thread that connects, again and again, and destroys connections that are of no more use.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/kinds/cluster/nats_state.h"

/* How long libnats may take to end its threads, milliseconds. */
#define CLOSE_MS 1000

static void let_go(struct nats_thread *thread)
{
	bool is_last;

	pthread_mutex_lock(&thread->lock);
	is_last = --thread->n_refs == 0;
	pthread_mutex_unlock(&thread->lock);
	if (!is_last)
		return;
	pthread_mutex_destroy(&thread->lock);
	pthread_cond_destroy(&thread->changed);
	if (thread->event_fd >= 0)
		close(thread->event_fd);
	free(thread->servers);
	free(thread->creds);
	free(thread->ca);
	free(thread);
}

/* Sleeps until the thread has to end or the time is over. Under the lock. */
static void sleep_for(struct nats_thread *thread, int64_t pause)
{
	int64_t until = clock_now() + pause;
	struct timespec time = {.tv_sec = until / CLOCK_S, .tv_nsec = until % CLOCK_S};

	while (!thread->is_ending &&
	       pthread_cond_timedwait(&thread->changed, &thread->lock, &time) != ETIMEDOUT)
		continue;
}

/* Waits for the loop, or does its work. Under the lock. */
static void serve(struct nats_thread *thread, struct nats_connection *connection)
{
	if (!connection->relay || connection->is_closed) {
		pthread_cond_wait(&thread->changed, &thread->lock);
		return;
	}
	thread->relay = connection->relay;
	pthread_mutex_unlock(&thread->lock);
	nats_relay_turn(connection);
	pthread_mutex_lock(&thread->lock);
	thread->relay = NULL;
}

/* Hands the connection to the loop, and waits until it comes back. Under the lock. */
static void lend(struct nats_thread *thread, struct nats_connection *connection)
{
	thread->fresh = connection;
	eventfd_write(thread->event_fd, 1);
	while (!thread->spent && !(thread->is_ending && thread->fresh))
		serve(thread, connection);
	thread->fresh = NULL;
	thread->spent = NULL;
}

/* Makes the thread look at what has changed. Under the lock. */
static void wake(struct nats_thread *thread)
{
	pthread_cond_broadcast(&thread->changed);
	if (thread->relay)
		nats_relay_wake(thread->relay);
}

static void *run(void *data)
{
	static const int64_t pauses[] = {0, CLOCK_S / 4, CLOCK_S / 2, CLOCK_S, 2 * CLOCK_S};
	struct nats_thread *thread = data;
	size_t n_failures = 0;

	pthread_mutex_lock(&thread->lock);
	while (!thread->is_ending) {
		struct nats_connection *connection;
		int64_t begun = clock_now();

		pthread_mutex_unlock(&thread->lock);
		connection = nats_connect(thread);
		pthread_mutex_lock(&thread->lock);
		if (connection) {
			lend(thread, connection);
			pthread_mutex_unlock(&thread->lock);
			/* Acknowledgements of the last moment, when the mount ends. */
			if (connection->relay)
				nats_relay_flush(connection);
			nats_connection_free(connection);
			pthread_mutex_lock(&thread->lock);
			/* A server that accepts and then closes is no reason to hurry. */
			n_failures = clock_now() - begun < CLOCK_S ? n_failures + 1 : 0;
		} else {
			n_failures++;
		}
		if (n_failures >= sizeof(pauses) / sizeof(pauses[0]))
			n_failures = sizeof(pauses) / sizeof(pauses[0]) - 1;
		sleep_for(thread, pauses[n_failures]);
	}
	pthread_mutex_unlock(&thread->lock);
	nats_ReleaseThreadMemory();
	let_go(thread);
	return NULL;
}

static int copy_text(const char *text, char **ret_copy)
{
	if (!text)
		return 0;
	*ret_copy = strdup(text);
	return *ret_copy ? 0 : -ENOMEM;
}

static int start(struct nats_thread *thread)
{
	sigset_t all;
	sigset_t before;
	int error;

	/* libnats' own threads, which this one starts, inherit the mask. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	thread->n_refs++;
	error = pthread_create(&thread->thread, NULL, run, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error)
		thread->n_refs--;
	return -error;
}

int nats_thread_new(const struct host_remote *remote, struct nats_thread **ret_thread)
{
	struct nats_thread *thread = calloc(1, sizeof(*thread));
	pthread_condattr_t attributes;
	int error;

	if (!thread)
		return -ENOMEM;
	thread->n_refs = 1;
	pthread_mutex_init(&thread->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&thread->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	thread->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = thread->event_fd < 0 ? -errno : 0;
	if (!error)
		error = copy_text(remote->servers, &thread->servers);
	if (!error)
		error = copy_text(remote->creds, &thread->creds);
	if (!error)
		error = copy_text(remote->ca, &thread->ca);
	if (!error)
		error = start(thread);
	if (error) {
		let_go(thread);
		return error;
	}
	*ret_thread = thread;
	return 0;
}

struct nats_connection *nats_thread_take(struct nats_thread *thread)
{
	struct nats_connection *connection;
	eventfd_t n;

	eventfd_read(thread->event_fd, &n);
	pthread_mutex_lock(&thread->lock);
	connection = TAKE_PTR(thread->fresh);
	if (connection)
		thread->error[0] = '\0';
	pthread_mutex_unlock(&thread->lock);
	return connection;
}

void nats_thread_return(struct nats_thread *thread, struct nats_connection *connection)
{
	pthread_mutex_lock(&thread->lock);
	thread->spent = connection;
	wake(thread);
	pthread_mutex_unlock(&thread->lock);
}

void nats_thread_set_error(struct nats_thread *thread, const char *text)
{
	pthread_mutex_lock(&thread->lock);
	snprintf(thread->error, sizeof(thread->error), "%s", text);
	pthread_mutex_unlock(&thread->lock);
}

void nats_thread_end(struct nats_thread *thread)
{
	struct timespec until;

	pthread_mutex_lock(&thread->lock);
	thread->is_ending = true;
	wake(thread);
	pthread_mutex_unlock(&thread->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 2;
	if (pthread_timedjoin_np(thread->thread, NULL, &until) == 0) {
		nats_ReleaseThreadMemory();
		/* Its own threads may still be ending. A process that exits meanwhile may hang. */
		nats_CloseAndWait(CLOSE_MS);
	} else {
		pthread_detach(thread->thread);
	}
	let_go(thread);
}
