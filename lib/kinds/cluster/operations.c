// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The operations that are under way.
 */
#include "lib/kinds/cluster/operation_state.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

#include "lib/base/cleanup.h"

/*
 * What waits for the link has its turn; what waits for an answer is told by the link itself. The
 * servers may need some time again, so errors count as passing from now on.
 */
static void link_changed(struct nats_listener *listener, bool is_up)
{
	struct operations *operations = CONTAINER_OF(listener, struct operations, listener);
	struct cluster_operation *operation;

	if (!is_up)
		return;
	DL_FOREACH(operations->all, operation) {
		operation->pause = operation->patience = 0;
		if (!operation->is_asked && !alarm_is_set(&operation->again))
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

	return space ? cluster_find(space, name) : NULL;
}

int operations_new(struct cluster *cluster, struct operations **ret_operations)
{
	struct operations *operations = calloc(1, sizeof(*operations));

	if (!operations)
		return -ENOMEM;
	operations->cluster = cluster;
	operations->listener.changed = link_changed;
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
	free(operations);
}
