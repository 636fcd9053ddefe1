// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Making an object: first the entry, which only one daemon of the cluster can store, so O_EXCL
 * holds for all machines; then its stream, and the consumer of a queue. If that fails, the entry
 * goes again. If the request gives up meanwhile, the object is finished all the same: whoever tries
 * again finds it.
 */
#include "lib/kinds/cluster/cluster_make.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"

/* How much the clocks of the servers of a cluster may differ. */
#define CLOCKS_APART CLOCK_S

struct cluster_making *making_from(struct cluster_operation *operation)
{
	return CONTAINER_OF(operation, struct cluster_making, operation);
}

int making_init(struct cluster_operation *operation, const void *order)
{
	struct cluster_making *making = making_from(operation);
	int r;

	memcpy(&making->order, order, sizeof(making->order));
	r = cluster_key_from_name(making->order.name, making->key);
	if (r < 0)
		return r;
	cluster_stream_name(making->order.sort, making->key, making->stream);
	return 0;
}

int making_refresh(struct cluster_making *making)
{
	const struct cluster_object *object =
		operation_object(&making->operation, making->order.sort, making->order.name);

	if (!object)
		return -ENOENT;
	making->entry = object->entry;
	making->revision = object->revision;
	return 0;
}

bool making_is_there(const struct cluster_making *making)
{
	const struct cluster_object *object =
		operation_object(&making->operation, making->order.sort, making->order.name);

	return object && object->entry.created == making->entry.created;
}

/* The stream and its consumer. */

int making_stream_begin(struct cluster_operation *operation)
{
	struct cluster_making *making = making_from(operation);
	struct cluster_settings settings = making->entry.settings;
	CLEANUP_FREE char *text = NULL;
	char subject[API_SUBJECT_SIZE];

	cluster_settings_fill(&settings, making->order.sort);
	text = api_stream_config(making->order.sort, making->key, &settings);
	api_subject("STREAM.CREATE", making->stream, NULL, subject);
	return operation_ask(operation, subject, text);
}

int making_consumer_begin(struct cluster_operation *operation)
{
	struct cluster_making *making = making_from(operation);
	CLEANUP_FREE char *text = NULL;
	char subject[API_SUBJECT_SIZE];

	if (making->order.sort != CLUSTER_QUEUES)
		return 0;
	text = api_readers_config(making->stream, making->entry.settings);
	api_subject("CONSUMER.DURABLE.CREATE", making->stream, CLUSTER_READERS, subject);
	return operation_ask(operation, subject, text);
}

int making_consumer_answered(struct cluster_operation *operation, const struct nats_message *answer,
			     int error)
{
	return error;
}

/* The steps of making an object. */

static int create_act(void *data)
{
	return 0;
}

static int create_init(struct cluster_operation *operation, const void *order)
{
	struct cluster_making *making = making_from(operation);
	int r = making_init(operation, order);

	making->entry.mode = making->order.mode;
	making->entry.created = time(NULL);
	making->entry.settings = making->order.settings;
	return r;
}

static void create_fini(struct cluster_operation *operation)
{
	accounts_forget(&making_from(operation)->names);
}

static int take_names(struct cluster_making *making)
{
	int r;

	memcpy(making->entry.owner, making->names.owner, sizeof(making->entry.owner));
	memcpy(making->entry.group, making->names.group, sizeof(making->entry.group));
	r = cluster_check_room(making->operation.cluster, making->entry.owner,
			       &making->order.settings, NULL);
	making->is_counted = r == 0;
	return r;
}

static void named(struct accounts_ask *names, int error)
{
	struct cluster_making *making = CONTAINER_OF(names, struct cluster_making, names);

	operation_go_on(&making->operation, error < 0 ? error : take_names(making));
}

/* Each machine has its own numbers, so an entry has names. */
static int names_begin(struct cluster_operation *operation)
{
	struct cluster_making *making = making_from(operation);
	int r;

	making->names.named = named;
	r = accounts_ask(operation->cluster->accounts, &making->names, making->order.uid,
			 making->order.gid);
	if (r == -EINPROGRESS)
		return OPERATION_ASKED;
	return r < 0 ? r : take_names(making);
}

static int entry_begin(struct cluster_operation *operation)
{
	struct cluster_making *making = making_from(operation);
	const struct operation_entry stored = {
		.sort = making->order.sort, .key = making->key, .entry = &making->entry};
	int r = operation_store(operation, &stored);

	operation->has_begun |= r == OPERATION_ASKED;
	return r;
}

/*
 * If the entry was stored before, but no answer came, then there is one now: our own. Else another
 * machine has just made the object. Whoever is told so looks the name up at once, maybe before the
 * watch tells of it.
 */
static int entry_stored(struct cluster_operation *operation, int error, uint64_t revision)
{
	struct cluster_making *making = making_from(operation);

	making->revision = revision;
	making->is_doubtful = error == -EEXIST && operation->is_unsure;
	making->is_taken = error == -EEXIST && !operation->is_unsure;
	if (error == 0 || making->is_doubtful)
		return 0;
	operation->has_begun = false;
	return making->is_taken ? 0 : error;
}

/* A question that had no answer is not asked again if the object was removed meanwhile. */
static int stream_begin(struct cluster_operation *operation)
{
	struct cluster_making *making = making_from(operation);

	if (operation->is_unsure && !making_is_there(making)) {
		operation->has_begun = false;
		return -EIDRM;
	}
	return making->is_foreign ? making_unstream_begin(operation)
				  : making_stream_begin(operation);
}

/*
 * A stream without an entry is what is left of an object that was removed half-way. If it has other
 * settings, it is deleted; if it has messages, they are. But if the question was asked twice, the
 * stream may be our own, and the messages what others have written meanwhile.
 */
static int stream_answered(struct cluster_operation *operation, const struct nats_message *answer,
			   int error)
{
	struct cluster_making *making = making_from(operation);
	int r;

	if (making->is_foreign || operation->code == API_STREAM_NAME_IN_USE) {
		making->is_foreign = !making->is_foreign;
		return error < 0 && error != -EIDRM && !making->is_foreign ? error
									   : OPERATION_AGAIN;
	}
	r = error < 0 ? error : api_read_stream(answer, &making->look);
	making->has_old = r == 0 && making->look.n_messages && making->look.last_time &&
			  !operation->is_unsure;
	return r;
}

/*
 * The entry is known, so others may have written already, and have been told that their messages
 * are stored. What is older than the entry, by the servers' own clocks, is nobody's.
 */
static int age_begin(struct cluster_operation *operation)
{
	const struct cluster_making *making = making_from(operation);
	char subject[API_SUBJECT_SIZE];
	CLEANUP_FREE char *text = NULL;

	if (!making->has_old)
		return 0;
	text = api_get_sequence(making->revision);
	api_subject("STREAM.MSG.GET", CLUSTER_BUCKET_STREAM, NULL, subject);
	return operation_ask(operation, subject, text);
}

static int age_answered(struct cluster_operation *operation, const struct nats_message *answer,
			int error)
{
	struct cluster_making *making = making_from(operation);
	struct stored_message message = {0};
	int r = error < 0 ? error : api_read_stored(answer, &message);

	making->has_old = r == 0 && message.sequence == making->revision &&
			  making->look.last_time + CLOCKS_APART < message.time;
	stored_message_fini(&message);
	return r == -ENODATA ? 0 : r;
}

static int purge_begin(struct cluster_operation *operation)
{
	struct cluster_making *making = making_from(operation);
	char subject[API_SUBJECT_SIZE];
	char text[48];

	if (!making->has_old)
		return 0;
	snprintf(text, sizeof(text), "{\"seq\":%" PRIu64 "}", making->look.last + 1);
	api_subject("STREAM.PURGE", making->stream, NULL, subject);
	return operation_ask(operation, subject, text);
}

static int purge_answered(struct cluster_operation *operation, const struct nats_message *answer,
			  int error)
{
	return error;
}

/* The caller sees the object at once, and not only when the watch has told of it. */
static int create_finish(struct cluster_operation *operation, void *result)
{
	struct cluster_making *making = making_from(operation);

	cluster_entry_seen(operation->cluster, making->order.sort, making->order.name, making->key,
			   &making->entry, making->revision);
	return 0;
}

static const struct operation_step create_steps[] = {
	{.begin = names_begin},
	{.begin = entry_begin, .stored = entry_stored},
	{.begin = making_confirm_begin, .answered = making_confirm_answered},
	{.begin = stream_begin, .answered = stream_answered},
	{.begin = age_begin, .answered = age_answered},
	{.begin = purge_begin, .answered = purge_answered},
	{.begin = making_consumer_begin, .answered = making_consumer_answered},
	{.begin = NULL},
};

/* Without an entry of our own, the stream may be somebody else's. */
static int undo_begin(struct cluster_operation *operation)
{
	return making_from(operation)->revision ? making_unstream_begin(operation) : OPERATION_DONE;
}

static const struct operation_step create_undo[] = {
	{.begin = undo_begin, .answered = making_unstream_answered},
	{.begin = making_unentry_begin, .stored = making_unentry_stored},
	{.begin = NULL},
};

const struct operation_kind cluster_create_kind = {
	.size = sizeof(struct cluster_making),
	.steps = create_steps,
	.undo = create_undo,
	.init = create_init,
	.finish = create_finish,
	.fini = create_fini,
	.act = create_act,
};

static int find_made(struct cluster_space *space, const char *name, struct entry *ret_entry)
{
	struct cluster_object *object = cluster_find(space, name);

	if (!object)
		return -ENOENT; /* somebody has removed it already */
	ret_entry->channel = channel_ref(&object->channel);
	return 0;
}

int cluster_create(struct space *space_, const char *name, mode_t mode,
		   const struct settings *settings, struct caller *caller, struct entry *ret_entry)
{
	struct cluster_space *space = cluster_space_from(space_);
	struct make_order order;
	struct entry found = {0};
	int r;

	if (operation_take(caller, &cluster_create_kind, &r))
		return r < 0 ? r : find_made(space, name, ret_entry);
	if (!S_ISREG(mode))
		return -EPERM;
	if (find_made(space, name, &found) == 0) {
		entry_unref(&found);
		return -EEXIST;
	}
	memset(&order, 0, sizeof(order)); /* job_run() compares all of it */
	order.sort = space->kind->sort;
	order.mode = mode & CLUSTER_MODE;
	order.uid = caller->uid;
	order.gid = caller->gid;
	strcpy(order.name, name);
	r = settings ? space->kind->apply(settings, &order.settings) : 0;
	if (r < 0)
		return r;
	cluster_settings_fill(&order.settings, order.sort);
	return operation_run(caller, &(struct operation_call){.cluster = space->cluster,
							      .kind = &cluster_create_kind,
							      .order = &order,
							      .order_size = sizeof(order)});
}
