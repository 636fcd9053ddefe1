// SPDX-License-Identifier: GPL-2.0-or-later
/* What info/ shows of a value: how long it is, and when it was written. */
#include <errno.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/kinds/cluster/cluster_make.h"
#include "lib/kinds/cluster/cluster_value.h"

struct value_looking {
	struct cluster_making making;
	struct value_look look;
};

static struct value_looking *looking_from(struct cluster_operation *operation)
{
	return CONTAINER_OF(making_from(operation), struct value_looking, making);
}

/* Tells this operation from others: job_call::act. */
static int look_act(void *data)
{
	return 0;
}

static int info_begin(struct cluster_operation *operation)
{
	char subject[API_SUBJECT_SIZE];

	api_subject("STREAM.INFO", making_from(operation)->stream, NULL, subject);
	return operation_ask(operation, subject, "");
}

static int info_answered(struct cluster_operation *operation, const struct nats_message *answer,
			 int error)
{
	struct value_look *look = &looking_from(operation)->look;
	int r = error < 0 ? error : api_read_stream(answer, &look->stream);

	if (r < 0)
		return r;
	return look->stream.n_messages ? 0 : OPERATION_DONE;
}

static int last_begin(struct cluster_operation *operation)
{
	const struct cluster_making *making = making_from(operation);
	char subject[API_SUBJECT_SIZE], of[CLUSTER_SUBJECT_SIZE];
	CLEANUP_FREE char *text = NULL;

	if (!operation_object(operation, CLUSTER_VALUES, making->order.name))
		return OPERATION_DONE;
	cluster_subject(CLUSTER_VALUES, making->key, of);
	text = api_get_last(of);
	api_subject("STREAM.MSG.GET", making->stream, NULL, subject);
	return operation_ask(operation, subject, text);
}

static int last_answered(struct cluster_operation *operation, const struct nats_message *answer,
			 int error)
{
	struct value_look *look = &looking_from(operation)->look;
	struct stored_message message = {0};
	int r = error < 0 ? error : api_read_stored(answer, &message);

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	look->revision = message.sequence;
	look->size = message.is_deleted ? 0 : message.size;
	look->time = message.time > 0 ? message.time : 0;
	stored_message_fini(&message);
	return 0;
}

static int look_finish(struct cluster_operation *operation, void *result)
{
	if (result)
		memcpy(result, &looking_from(operation)->look, sizeof(struct value_look));
	return 0;
}

static const struct operation_step look_steps[] = {
	{.begin = info_begin, .answered = info_answered},
	{.begin = last_begin, .answered = last_answered},
	{.begin = NULL},
};

static const struct operation_kind look_kind = {
	.size = sizeof(struct value_looking),
	.steps = look_steps,
	.init = making_init,
	.finish = look_finish,
	.act = look_act,
};

int cluster_value_measure(struct channel *channel, struct caller *caller, const struct row *row)
{
	struct cluster_value *value = cluster_value_from(channel);
	struct cluster_object *object = &value->object;
	struct value_look look;
	struct make_order order;
	int r;

	if (row->is_brief)
		return cluster_object_measure(channel, caller, row);
	object->looked = 0;
	if (!nats_link_is_up(object->cluster->link) && !(caller->waiter && caller->waiter->job))
		return -EHOSTDOWN;
	memset(&order, 0, sizeof(order)); /* job_run() compares all of it */
	order.sort = object->sort;
	strcpy(order.name, object->name);
	r = operation_run(caller, &(struct operation_call){.cluster = object->cluster,
							   .kind = &look_kind,
							   .order = &order,
							   .order_size = sizeof(order),
							   .result = &look,
							   .result_size = sizeof(look),
							   .most = row->most});
	if (r < 0)
		return r;
	object->look = look.stream;
	object->looked = clock_now();
	value->look = look;
	return 0;
}

/* `revision` is the number that other clients know, too. */
void cluster_value_status(struct channel *channel, struct caller *caller, struct row *row)
{
	const struct cluster_value *value = cluster_value_from(channel);
	const struct value_look *look = &value->look;
	const struct timespec written = {look->time / CLOCK_S, look->time % CLOCK_S};

	cluster_object_status(channel, caller, row);
	if (row->is_brief || row->has_no_measure || !value->object.looked ||
	    channel_check_read(channel, caller) < 0)
		return;
	row_add_number(row, "revision", look->revision);
	row_add_bytes(row, "size", look->size);
	if (look->revision)
		row_add_time(row, "written", &written);
}
