// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The operations that are under way. One clock serves all: when it goes off, it looks through them.
 */
#include "lib/kinds/cluster/operation_state.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"

/* The clock is not set more finely than this, so that many pauses end together. */
#define GRAIN (5 * CLOCK_MS)

void operations_set(struct operations *operations, int64_t time)
{
	struct itimerspec at = {0};

	if (operations->next && operations->next <= time)
		return;
	operations->next = time + GRAIN;
	at.it_value.tv_sec = operations->next / CLOCK_S;
	at.it_value.tv_nsec = operations->next % CLOCK_S;
	timerfd_settime(operations->clock.fd, TFD_TIMER_ABSTIME, &at, NULL);
}

static struct cluster_operation *find_due(const struct operations *operations, int64_t now)
{
	struct cluster_operation *operation;

	DL_FOREACH(operations->all, operation) {
		int64_t due = operation_due(operation);

		if (due && due <= now)
			return operation;
	}
	return NULL;
}

/* A request that is answered may start another operation, so the search starts over each time. */
static void clock_dispatch(struct loop_source *source, uint32_t events)
{
	struct operations *operations = CONTAINER_OF(source, struct operations, clock);
	struct cluster_operation *operation;
	int64_t now = clock_now();
	uint64_t n;

	if (read(source->fd, &n, sizeof(n)) != sizeof(n))
		return;
	operations->next = 0;
	while ((operation = find_due(operations, now)) != NULL)
		operation_expire(operation, now);
	DL_FOREACH(operations->all, operation) {
		if (operation_due(operation))
			operations_set(operations, operation_due(operation));
	}
}

/* What waits for the link has its turn. What waits for an answer is told by the link itself. */
static void link_changed(struct nats_listener *listener, bool is_up)
{
	struct operations *operations = CONTAINER_OF(listener, struct operations, listener);
	struct cluster_operation *operation;

	if (!is_up)
		return;
	DL_FOREACH(operations->all, operation) {
		if (!operation->is_asked && !operation->wake)
			operation_turn(operation);
	}
}

void operations_visit(const struct cluster *cluster, const struct operation_kind *kind,
		      void (*visit)(const struct cluster_operation *operation, void *data),
		      void *data)
{
	const struct cluster_operation *operation;

	DL_FOREACH(cluster->operations->all, operation) {
		if (operation->kind == kind)
			visit(operation, data);
	}
}

struct cluster_object *operation_object(const struct cluster_operation *operation,
					enum cluster_sort sort, const char *name)
{
	struct cluster_space *space = operation->cluster->spaces[sort];
	struct cluster_object *object = NULL;

	if (space)
		HASH_FIND_STR(space->objects, name, object);
	return object;
}

int operations_new(struct cluster *cluster, struct operations **ret_operations)
{
	struct operations *operations = calloc(1, sizeof(*operations));
	int r;

	if (!operations)
		return -ENOMEM;
	operations->cluster = cluster;
	operations->listener.changed = link_changed;
	operations->clock.dispatch = clock_dispatch;
	operations->clock.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	r = operations->clock.fd < 0 ? -errno
				     : loop_add(cluster->host->loop, &operations->clock, EPOLLIN);
	if (r < 0) {
		if (operations->clock.fd >= 0)
			close(operations->clock.fd);
		free(operations);
		return r;
	}
	nats_link_listen(cluster->link, &operations->listener);
	*ret_operations = operations;
	return 0;
}

void operations_free(struct operations *operations)
{
	if (!operations)
		return;
	while (operations->all) {
		struct cluster_operation *operation = operations->all;
		struct job *job = TAKE_PTR(operation->job);

		operation_free(operation);
		if (job)
			job_end(job, -ENOTCONN);
	}
	nats_link_unlisten(operations->cluster->link, &operations->listener);
	loop_remove(operations->cluster->host->loop, &operations->clock);
	close(operations->clock.fd);
	free(operations);
}
