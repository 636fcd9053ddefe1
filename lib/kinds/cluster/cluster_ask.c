// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Questions that change nothing here: one question as a job, and the look at a stream, which makes
 * the stream again if it is missing.
 *
 * The entry is what makes an object; its stream may be lost, when the daemon that made or removed
 * the object died half-way, or when somebody else deleted the stream. But while an object is being
 * removed, its stream is missing for a moment too. So a missing stream is made again only if the
 * entry is still there after a while.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/kinds/cluster/cluster_make.h"
#include "lib/kinds/cluster/operation.h"

/* How long an entry without a stream may belong to an object that is being made or removed. */
#define MAKING_MOST (2 * CLOCK_S)

/* One question. */

struct asking {
	struct cluster_operation operation;
	int (*read)(const struct nats_message *answer, void *result);
	char *subject, *text; /* `text` is part of the same memory */
	int value;            /* what read() returned */
};

/* The order is the function, then the subject and the text, each with a NUL. */
struct ask_order {
	int (*read)(const struct nats_message *answer, void *result);
	char strings[];
};

static int ask_act(void *data)
{
	return 0;
}

static int ask_init(struct cluster_operation *operation, const void *order_)
{
	struct asking *asking = CONTAINER_OF(operation, struct asking, operation);
	const struct ask_order *order = order_;
	size_t subject_size = strlen(order->strings) + 1;
	size_t text_size = strlen(order->strings + subject_size) + 1;

	asking->read = order->read;
	asking->subject = malloc(subject_size + text_size);
	if (!asking->subject)
		return -ENOMEM;
	memcpy(asking->subject, order->strings, subject_size + text_size);
	asking->text = asking->subject + subject_size;
	return 0;
}

static int ask_begin(struct cluster_operation *operation)
{
	struct asking *asking = CONTAINER_OF(operation, struct asking, operation);

	return operation_ask(operation, asking->subject, asking->text);
}

/* This operation begins nothing, so it ends with its request: somebody waits for the result. */
static int ask_answered(struct cluster_operation *operation, const struct nats_message *answer,
			int error)
{
	struct asking *asking = CONTAINER_OF(operation, struct asking, operation);

	assert(operation->result);
	asking->value = asking->read(answer, operation->result);
	return asking->value < 0 ? asking->value : 0;
}

static int ask_finish(struct cluster_operation *operation, void *result)
{
	return CONTAINER_OF(operation, struct asking, operation)->value;
}

static void ask_fini(struct cluster_operation *operation)
{
	free(CONTAINER_OF(operation, struct asking, operation)->subject);
}

static const struct operation_step ask_steps[] = {
	{.begin = ask_begin, .answered = ask_answered},
	{.begin = NULL},
};

static const struct operation_kind ask_kind = {
	.size = sizeof(struct asking),
	.steps = ask_steps,
	.init = ask_init,
	.finish = ask_finish,
	.fini = ask_fini,
	.act = ask_act,
};

int cluster_ask(struct cluster *cluster, struct caller *caller,
		const struct cluster_question *question, void *result, size_t result_size)
{
	size_t subject_size = strlen(question->subject) + 1;
	size_t text_size = strlen(question->text) + 1;
	size_t size = sizeof(struct ask_order) + subject_size + text_size;
	CLEANUP_FREE struct ask_order *order = calloc(1, size);

	if (!order)
		return -ENOMEM;
	order->read = question->read;
	memcpy(order->strings, question->subject, subject_size);
	memcpy(order->strings + subject_size, question->text, text_size);
	return operation_run(caller, &(struct operation_call){.cluster = cluster,
							      .kind = &ask_kind,
							      .order = order,
							      .order_size = size,
							      .result = result,
							      .result_size = result_size,
							      .most = question->most});
}

/* The look at a stream. */

static int look_act(void *data)
{
	return 0;
}

static int look_begin(struct cluster_operation *operation)
{
	struct cluster_making *making = making_from(operation);
	char subject[API_SUBJECT_SIZE];

	if (making_refresh(making) < 0)
		return -EIDRM;
	api_subject("STREAM.INFO", making->stream, NULL, subject);
	return operation_ask(operation, subject, "");
}

static int look_answered(struct cluster_operation *operation, const struct nats_message *answer,
			 int error)
{
	struct cluster_making *making = making_from(operation);

	if (error == 0) {
		error = api_read_stream(answer, &making->look);
		return error < 0 ? error : OPERATION_DONE;
	}
	if (error != -EIDRM)
		return error;
	if (!making->missing)
		making->missing = clock_now();
	return clock_now() < making->missing + MAKING_MOST ? OPERATION_LATER : 0;
}

/* Another daemon may make it at the same time, from an entry that is older or newer. */
static int mend_answered(struct cluster_operation *operation, const struct nats_message *answer,
			 int error)
{
	struct cluster_making *making = making_from(operation);

	if (operation->code != API_STREAM_NAME_IN_USE)
		return error < 0 ? error : api_read_stream(answer, &making->look);
	operation->step = operation->kind->steps;
	return OPERATION_LATER;
}

static int look_finish(struct cluster_operation *operation, void *result)
{
	if (result)
		memcpy(result, &making_from(operation)->look, sizeof(struct stream_look));
	return 0;
}

static const struct operation_step look_steps[] = {
	{.begin = look_begin, .answered = look_answered},
	{.begin = making_stream_begin, .answered = mend_answered},
	{.begin = making_consumer_begin, .answered = making_consumer_answered},
	{.begin = NULL},
};

static const struct operation_kind look_kind = {
	.size = sizeof(struct cluster_making),
	.steps = look_steps,
	.init = making_init,
	.finish = look_finish,
	.act = look_act,
};

int cluster_look(struct cluster_object *object, struct caller *caller, struct stream_look *ret)
{
	struct make_order order;

	if (!object->is_named && !operation_is_under_way(caller))
		return -EIDRM;
	memset(&order, 0, sizeof(order)); /* job_run() compares all of it */
	order.sort = object->sort;
	strcpy(order.name, object->name);
	return operation_run(caller, &(struct operation_call){.cluster = object->cluster,
							      .kind = &look_kind,
							      .order = &order,
							      .order_size = sizeof(order),
							      .result = ret,
							      .result_size = sizeof(*ret)});
}
