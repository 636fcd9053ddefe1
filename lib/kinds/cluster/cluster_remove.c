// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Removing an object: its entry says that it is being removed, then the stream goes, and then the
 * entry. So a name is free only when nothing is left of the old object, and whoever makes it anew
 * gets a new stream.
 *
 * The other daemons take such an entry for gone, and ask the stream nothing more. They get a moment
 * to hear of it: nats-server 2.9 may crash if it is asked for a message of a stream that it is just
 * deleting.
 */
#include <errno.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/kinds/cluster/cluster_make.h"

/* How long the news may take to the other daemons, and their last questions to the server. */
#define GRACE (50 * CLOCK_MS)

int making_unstream_begin(struct cluster_operation *operation)
{
	char subject[API_SUBJECT_SIZE];
	int r;

	api_subject("STREAM.DELETE", making_from(operation)->stream, NULL, subject);
	r = operation_ask(operation, subject, "");
	operation->has_begun |= r == OPERATION_ASKED;
	return r;
}

int making_unstream_answered(struct cluster_operation *operation, const struct nats_message *answer,
			     int error)
{
	return error == -EIDRM ? 0 : error;
}

/*
 * The watch may have told that the entry has changed, or has gone: then nothing is left to do. An
 * entry of another time is another object.
 */
int making_unentry_begin(struct cluster_operation *operation)
{
	struct cluster_making *making = making_from(operation);
	const struct make_order *order = &making->order;
	const struct cluster_object *object = operation_object(operation, order->sort, order->name);

	if (object && object->entry.created != making->entry.created)
		return OPERATION_DONE;
	if (object && object->revision > making->revision)
		making->revision = object->revision;
	if (!object && making->is_doubtful)
		return OPERATION_DONE;
	return operation_store(operation, &(struct operation_entry){.sort = order->sort,
								    .key = making->key,
								    .revision = making->revision});
}

int making_unentry_stored(struct cluster_operation *operation, int error, uint64_t revision)
{
	struct cluster_making *making = making_from(operation);

	if (error == -EEXIST) {
		making->is_doubtful = true;
		return OPERATION_LATER;
	}
	cluster_entry_gone(operation->cluster, making->order.sort, making->order.name, revision);
	return 0;
}

/* Somebody else may have removed it, and made another: that one stays. */
static int mark_begin(struct cluster_operation *operation)
{
	struct cluster_making *making = making_from(operation);
	struct cluster_entry entry = making->entry;
	const struct cluster_object *object =
		operation_object(operation, making->order.sort, making->order.name);
	int r;

	if (!making_is_there(making))
		return OPERATION_DONE;
	if (object->revision > making->revision)
		making->revision = object->revision;
	entry.is_removing = true;
	r = operation_store(operation, &(struct operation_entry){.sort = making->order.sort,
								 .key = making->key,
								 .entry = &entry,
								 .revision = making->revision});
	operation->has_begun |= r == OPERATION_ASKED;
	return r;
}

/* The watch will tell of the change that was stored before ours. */
static int mark_stored(struct cluster_operation *operation, int error, uint64_t revision)
{
	struct cluster_making *making = making_from(operation);

	if (error == -EEXIST)
		return OPERATION_LATER;
	making->revision = revision;
	making->marked = clock_now();
	cluster_entry_gone(operation->cluster, making->order.sort, making->order.name, revision);
	return 0;
}

static int stream_begin(struct cluster_operation *operation)
{
	struct cluster_making *making = making_from(operation);

	if (operation_object(operation, making->order.sort, making->order.name))
		return OPERATION_DONE;
	return clock_now() < making->marked + GRACE ? OPERATION_LATER
						    : making_unstream_begin(operation);
}

static void find_alone(const struct cluster_operation *operation, void *data)
{
	struct cluster_making *making = data;
	const struct cluster_making *other =
		CONTAINER_OF(operation, struct cluster_making, operation);

	if (!operation->job && other->order.sort == making->order.sort &&
	    strcmp(other->order.name, making->order.name) == 0)
		making->made_by = (struct cluster_operation *)operation;
}

/* An object that is still being made, though nobody waits for that, is made no further. */
static void stop_making(struct cluster_making *making)
{
	operations_visit(making->operation.cluster, &cluster_create_kind, find_alone, making);
	if (making->made_by)
		operation_free(TAKE_PTR(making->made_by));
}

static int remove_act(void *data)
{
	return 0;
}

static int remove_init(struct cluster_operation *operation, const void *order)
{
	struct cluster_making *making = making_from(operation);
	int r = making_init(operation, order);

	if (r == 0)
		r = making_refresh(making);
	if (r == 0)
		stop_making(making);
	return r;
}

static const struct operation_step remove_steps[] = {
	{.begin = mark_begin, .stored = mark_stored},
	{.begin = stream_begin, .answered = making_unstream_answered},
	{.begin = making_unentry_begin, .stored = making_unentry_stored},
	{.begin = NULL},
};

static const struct operation_kind remove_kind = {
	.size = sizeof(struct cluster_making),
	.steps = remove_steps,
	.init = remove_init,
	.act = remove_act,
};

/* The directory acts as if sticky: only an object's owner and root can remove it. */
int cluster_remove(struct space *space_, const char *name, struct caller *caller)
{
	struct cluster_space *space = cluster_space_from(space_);
	struct cluster_object *object;
	struct make_order order;
	int r;

	if (operation_take(caller, &remove_kind, &r))
		return r;
	object = cluster_find(space, name);
	r = object && !object->is_adopted ? 0 : cluster_await_names(space->cluster, caller);
	if (r < 0)
		return r;
	object = cluster_find(space, name);
	if (!object)
		return -ENOENT;
	cluster_object_refresh(object);
	if (!caller_owns(caller, object->attributes.uid))
		return -EPERM;
	memset(&order, 0, sizeof(order)); /* job_run() compares all of it */
	order.sort = space->kind->sort;
	strcpy(order.name, name);
	return operation_run(caller, &(struct operation_call){.cluster = space->cluster,
							      .kind = &remove_kind,
							      .order = &order,
							      .order_size = sizeof(order)});
}
