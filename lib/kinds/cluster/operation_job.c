// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Operations as jobs. The data of such a job begin with what tells it from others; the order
 * follows, and then the output.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/kinds/cluster/operation_state.h"

/* How many operations of a user may go on without their requests. */
#define ALONE_MOST 64

struct order_head {
	const struct operation_kind *kind;
	struct cluster *cluster;
	size_t order_size;
	uint64_t uid;
};

struct output_head {
	struct cluster_operation *operation;
	int64_t most;
	size_t result_size;
};

static size_t key_size(const struct order_head *head)
{
	return sizeof(*head) + head->order_size;
}

static size_t output_offset(const struct order_head *head)
{
	size_t align = _Alignof(max_align_t);

	return (key_size(head) + align - 1) / align * align;
}

static struct output_head *output_from(const struct order_head *head)
{
	return (struct output_head *)((char *)head + output_offset(head));
}

static void *result_from(const struct order_head *head)
{
	return output_from(head) + 1;
}

/* Counts the operations of a user that go on without their requests. */
static unsigned count_alone(const struct operations *operations, uid_t uid)
{
	const struct cluster_operation *operation;
	unsigned n = 0;

	DL_FOREACH(operations->all, operation) {
		n += !operation->job && operation->uid == uid;
	}
	return n;
}

static int operation_new(const struct order_head *head, struct cluster_operation **ret_operation)
{
	struct operations *operations = head->cluster->operations;
	struct cluster_operation *operation;
	int r = 0;

	if (count_alone(operations, (uid_t)head->uid) >= ALONE_MOST)
		return -ENOBUFS;
	operation = calloc(1, head->kind->size);
	if (!operation)
		return -ENOMEM;
	operation->kind = head->kind;
	operation->cluster = head->cluster;
	operation->uid = (uid_t)head->uid;
	if (head->kind->init)
		r = head->kind->init(operation, head + 1);
	if (r < 0) {
		free(operation);
		return r;
	}
	operation_init(operation);
	*ret_operation = operation;
	return 0;
}

static int begin(struct job *job, struct host *host, void *data)
{
	const struct order_head *head = data;
	struct output_head *output = output_from(head);
	struct cluster_operation *operation;
	int64_t most = output->most ? output->most : host->remote.timeout;
	int r = operation_new(head, &operation);

	if (r < 0)
		return r;
	operation->job = job;
	operation->result = result_from(head);
	output->operation = operation;
	if (most)
		alarm_set(head->cluster->alarms, &operation->late, clock_now() + most);
	operation_turn(operation);
	return 0;
}

static void leave(struct host *host, void *data)
{
	struct cluster_operation *operation = output_from(data)->operation;

	operation->job = NULL;
	operation->result = NULL;
	if (operation->has_begun)
		operation_leave_alone(operation);
	else
		operation_free(operation);
}

static void drop(struct host *host, struct caller *caller, void *data)
{
	const struct order_head *head = data;

	if (head->kind->drop)
		head->kind->drop(result_from(head));
}

int operation_run(struct caller *caller, const struct operation_call *call)
{
	const struct order_head head = {.kind = call->kind,
					.cluster = call->cluster,
					.order_size = call->order_size,
					.uid = caller->uid};
	size_t offset = output_offset(&head);
	size_t size = offset + sizeof(struct output_head) + call->result_size;
	CLEANUP_FREE char *data = calloc(1, size);
	const struct job_call job = {.place = JOB_ELSEWHERE,
				     .begin = begin,
				     .leave = leave,
				     .undo = drop,
				     .act = call->kind->act,
				     .data = data,
				     .size = size,
				     .n_key = key_size(&head)};
	int r;

	if (!data)
		return -ENOMEM;
	memcpy(data, &head, sizeof(head));
	if (call->order_size)
		memcpy(data + sizeof(head), call->order, call->order_size);
	output_from((struct order_head *)data)->most = call->most;
	r = job_run(call->cluster->host, caller, &job);
	if (r >= 0 && call->result_size)
		memcpy(call->result, result_from((struct order_head *)data), call->result_size);
	return r;
}

bool operation_take(const struct caller *caller, const struct operation_kind *kind, int *ret_result)
{
	return job_take_result(caller->waiter, kind->act, ret_result);
}
