// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What info/ shows of an object: what the server tells of its stream, and the messages themselves,
 * which are asked for one after another.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/kinds/cluster/cluster_make.h"

/* The most that a peek shows. */
#define PEEK_MESSAGES 64
#define PEEK_BYTES    ((size_t)1 << 20)

/* How long a peek may take: whoever looks at all of info/ should not be kept for ever. */
#define PEEK_MOST (5 * CLOCK_S)

/* While the link is down, nobody waits for what is only looked at. */
static bool is_worth_asking(const struct cluster_object *object, const struct caller *caller)
{
	return nats_link_is_up(object->cluster->link) || operation_is_under_way(caller);
}

/* Measuring. */

static int read_look(const struct nats_message *answer, void *result)
{
	return api_read_stream(answer, result);
}

int cluster_object_measure(struct channel *channel, struct caller *caller, const struct row *row)
{
	struct cluster_object *object = cluster_object_from(channel);
	CLEANUP_FREE struct cluster_question *question = NULL;
	struct stream_look look;
	int r;

	object->looked = 0;
	if (!is_worth_asking(object, caller))
		return -EHOSTDOWN;
	question = calloc(1, sizeof(*question));
	if (!question)
		return -ENOMEM;
	api_subject("STREAM.INFO", object->stream, NULL, question->subject);
	question->read = read_look;
	question->most = row->most;
	r = cluster_ask(object->cluster, caller, question, &look, sizeof(look));
	if (r < 0)
		return r;
	object->look = look;
	object->looked = clock_now();
	return 0;
}

/* What can be set. The keys are those of the parameters, so `create` finds what differs. */
static void add_settings(const struct cluster_object *object, struct row *row)
{
	struct cluster_settings settings = object->entry.settings;

	cluster_settings_fill(&settings, object->sort);
	if (object->sort == CLUSTER_QUEUES) {
		row_add_number(row, "maxmsg", settings.maxmsg);
		row_add_number(row, "ack_wait", settings.ack_wait / CLOCK_S);
	}
	if (object->sort == CLUSTER_VALUES)
		row_add_number(row, "history", settings.history);
	row_add_bytes(row, "maxbytes", settings.maxbytes);
	if (settings.msgsize)
		row_add_bytes(row, "msgsize", settings.msgsize);
	row_add_number(row, "replicas", settings.replicas);
}

void cluster_object_status(struct channel *channel, struct caller *caller, struct row *row)
{
	const struct cluster_object *object = cluster_object_from(channel);
	const struct stream_look *look = &object->look;
	struct stat attr = {0};

	row_add_word(row, "link", nats_link_is_up(object->cluster->link) ? "up" : "down");
	add_settings(object, row);
	if (row->has_no_measure || !object->looked)
		return;
	cluster_object_stat(channel, &attr);
	if (caller_may(caller, &attr, R_OK)) {
		row_add_number(row, "messages", look->n_messages);
		row_add_bytes(row, "bytes", look->n_bytes);
	}
	row_add_number(row, "consumers", look->n_consumers);
	if (*look->leader)
		row_add_text(row, "leader", look->leader);
	row_add_number(row, "current", look->n_current);
}

/* Peeking. */

struct peeking {
	struct cluster_making making;
	uint64_t next; /* the sequence to ask for; 0: the stream's limits are not known */
	unsigned n;
	char *bytes; /* owned, PEEK_BYTES at most */
	size_t size;
};

struct peeked {
	char *bytes; /* owned */
	size_t size;
};

static struct peeking *peeking_from(struct cluster_operation *operation)
{
	return CONTAINER_OF(making_from(operation), struct peeking, making);
}

static int peek_act(void *data)
{
	return 0;
}

static int look_begin(struct cluster_operation *operation)
{
	char subject[API_SUBJECT_SIZE];

	api_subject("STREAM.INFO", making_from(operation)->stream, NULL, subject);
	return operation_ask(operation, subject, "");
}

/* Of a topic, or a value, the last messages matter; a queue begins with the first. */
static int look_answered(struct cluster_operation *operation, const struct nats_message *answer,
			 int error)
{
	struct peeking *peeking = peeking_from(operation);
	struct stream_look *look = &peeking->making.look;
	int r = error < 0 ? error : api_read_stream(answer, look);

	if (r == -EIDRM)
		return OPERATION_DONE; /* nothing waits in a stream that is missing */
	if (r < 0)
		return r;
	peeking->next = look->first;
	if (peeking->making.order.sort != CLUSTER_QUEUES && look->last > PEEK_MESSAGES &&
	    peeking->next < look->last - PEEK_MESSAGES + 1)
		peeking->next = look->last - PEEK_MESSAGES + 1;
	return look->n_messages ? 0 : OPERATION_DONE;
}

static int get_begin(struct cluster_operation *operation)
{
	struct peeking *peeking = peeking_from(operation);
	char subject[API_SUBJECT_SIZE];
	CLEANUP_FREE char *text = NULL;

	if (peeking->n == PEEK_MESSAGES || peeking->next > peeking->making.look.last ||
	    !operation_object(operation, peeking->making.order.sort, peeking->making.order.name))
		return OPERATION_DONE;
	text = api_get_sequence(peeking->next);
	api_subject("STREAM.MSG.GET", peeking->making.stream, NULL, subject);
	return operation_ask(operation, subject, text);
}

/* Adds a message, and a newline where it does not end in one. */
static int add(struct peeking *peeking, const struct stored_message *message)
{
	bool has_end = message->size && message->data[message->size - 1] == '\n';
	size_t size = message->size + (has_end ? 0 : 1);
	char *bytes;

	if (size > PEEK_BYTES - peeking->size)
		return OPERATION_DONE;
	bytes = realloc(peeking->bytes, peeking->size + size);
	if (!bytes)
		return -ENOMEM;
	peeking->bytes = bytes;
	if (message->size)
		memcpy(bytes + peeking->size, message->data, message->size);
	if (!has_end)
		bytes[peeking->size + size - 1] = '\n';
	peeking->size += size;
	return 0;
}

/* Somebody may have taken the message meanwhile; then the server gives the next, or none. */
static int get_answered(struct cluster_operation *operation, const struct nats_message *answer,
			int error)
{
	struct peeking *peeking = peeking_from(operation);
	struct stored_message message = {0};
	int r = error < 0 ? error : api_read_stored(answer, &message);

	if (r == -ENODATA || r == -EIDRM)
		return OPERATION_DONE;
	if (r < 0)
		return r;
	peeking->n++;
	peeking->next =
		message.sequence >= peeking->next ? message.sequence + 1 : peeking->next + 1;
	if (!message.is_deleted)
		r = add(peeking, &message);
	stored_message_fini(&message);
	return r ? r : OPERATION_AGAIN;
}

static int peek_finish(struct cluster_operation *operation, void *result)
{
	struct peeking *peeking = peeking_from(operation);
	struct peeked peeked = {.bytes = TAKE_PTR(peeking->bytes), .size = peeking->size};

	memcpy(result, &peeked, sizeof(peeked));
	return 0;
}

static void peek_fini(struct cluster_operation *operation)
{
	free(peeking_from(operation)->bytes);
}

static void peek_drop(void *result)
{
	free(((struct peeked *)result)->bytes);
}

static const struct operation_step peek_steps[] = {
	{.begin = look_begin, .answered = look_answered},
	{.begin = get_begin, .answered = get_answered},
	{.begin = NULL},
};

static const struct operation_kind peek_kind = {
	.size = sizeof(struct peeking),
	.steps = peek_steps,
	.init = making_init,
	.finish = peek_finish,
	.fini = peek_fini,
	.drop = peek_drop,
	.act = peek_act,
};

int cluster_object_peek(struct channel *channel, struct caller *caller, FILE *out)
{
	struct cluster_object *object = cluster_object_from(channel);
	struct peeked peeked = {0};
	struct make_order order;
	int r;

	if (!object->is_named && !operation_is_under_way(caller))
		return -EIDRM;
	if (!is_worth_asking(object, caller))
		return -EHOSTDOWN;
	memset(&order, 0, sizeof(order)); /* job_run() compares all of it */
	order.sort = object->sort;
	strcpy(order.name, object->name);
	r = operation_run(caller, &(struct operation_call){.cluster = object->cluster,
							   .kind = &peek_kind,
							   .order = &order,
							   .order_size = sizeof(order),
							   .result = &peeked,
							   .result_size = sizeof(peeked),
							   .most = PEEK_MOST});
	if (r == 0 && peeked.size)
		fwrite(peeked.bytes, 1, peeked.size, out);
	free(peeked.bytes);
	return r;
}
