// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Changes to an object's entry: its owner, its mode, its settings. Two machines may change it at
 * once, so an entry is stored only in place of the one that the change began with. Otherwise the
 * change begins again, with the newer one and all that has to be checked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/base/cleanup.h"
#include "lib/channel/record.h"
#include "lib/kinds/cluster/cluster_make.h"

/* The order: no padding. */
struct change_order {
	uint64_t revision; /* of the entry that is changed */
	struct cluster_settings settings;
	enum cluster_sort sort;
	unsigned mode;
	uid_t uid;
	gid_t gid;
	unsigned changes;    /* CHANGE_UID, CHANGE_GID */
	unsigned is_setting; /* the settings change, else owner, group and mode */
	char name[NAME_MAX + 1];
};

struct entry_change {
	struct cluster_making making; /* its entry is the new one */
	struct cluster_entry old;
	struct change_order order;
	bool is_stale; /* there is another entry than the change began with */
};

static struct entry_change *changing_from(struct cluster_operation *operation)
{
	return CONTAINER_OF(making_from(operation), struct entry_change, making);
}

static int change_act(void *data)
{
	return 0;
}

static int set_act(void *data)
{
	return 0;
}

static int change_init(struct cluster_operation *operation, const void *order_)
{
	struct entry_change *changing = changing_from(operation);
	struct cluster_making *making = &changing->making;
	struct make_order order = {0};
	int r;

	memcpy(&changing->order, order_, sizeof(changing->order));
	order.sort = changing->order.sort;
	order.uid = changing->order.uid;
	order.gid = changing->order.gid;
	strcpy(order.name, changing->order.name);
	r = making_init(operation, &order);
	if (r == 0)
		r = making_refresh(making);
	if (r < 0)
		return r;
	changing->old = making->entry;
	if (changing->order.is_setting)
		making->entry.settings = changing->order.settings;
	else
		making->entry.mode = changing->order.mode;
	return 0;
}

static void change_fini(struct cluster_operation *operation)
{
	accounts_forget(&making_from(operation)->names);
}

/* Puts the new owner and group into the entry. An unknown name that does not change is kept. */
static int take_names(struct entry_change *changing)
{
	struct cluster_making *making = &changing->making;

	if (changing->order.changes & CHANGE_UID)
		memcpy(making->entry.owner, making->names.owner, sizeof(making->entry.owner));
	if (changing->order.changes & CHANGE_GID)
		memcpy(making->entry.group, making->names.group, sizeof(making->entry.group));
	return 0;
}

static void named(struct accounts_ask *names, int error)
{
	struct cluster_making *making = CONTAINER_OF(names, struct cluster_making, names);
	struct entry_change *changing = CONTAINER_OF(making, struct entry_change, making);

	operation_go_on(&making->operation, error < 0 ? error : take_names(changing));
}

static int names_begin(struct cluster_operation *operation)
{
	struct entry_change *changing = changing_from(operation);
	struct cluster_making *making = &changing->making;
	int r;

	if (!changing->order.changes)
		return 0;
	making->names.named = named;
	r = accounts_ask(operation->cluster->accounts, &making->names, making->order.uid,
			 making->order.gid);
	if (r == -EINPROGRESS)
		return OPERATION_ASKED;
	return r < 0 ? r : take_names(changing);
}

/*
 * Stores the entry. -ESTALE: it is not what it was. Waits for the newer one, so that the next try
 * does not meet with the same.
 */
static int entry_begin(struct cluster_operation *operation)
{
	struct entry_change *changing = changing_from(operation);
	struct cluster_making *making = &changing->making;
	const struct cluster_object *object =
		operation_object(operation, making->order.sort, making->order.name);
	int r;

	if (!object)
		return -EIDRM;
	if (object->revision != changing->order.revision && !operation->is_unsure)
		return -ESTALE;
	if (changing->is_stale)
		return OPERATION_LATER;
	r = operation_store(operation, &(struct operation_entry){.sort = making->order.sort,
								 .key = making->key,
								 .entry = &making->entry,
								 .revision = making->revision});
	operation->has_begun |= r == OPERATION_ASKED && changing->order.is_setting;
	return r;
}

static int entry_stored(struct cluster_operation *operation, int error, uint64_t revision)
{
	struct entry_change *changing = changing_from(operation);

	if (error == 0)
		changing->making.revision = revision;
	changing->making.is_doubtful = error == -EEXIST && operation->is_unsure;
	if (error == 0 || changing->making.is_doubtful)
		return 0;
	operation->has_begun = operation->is_unsure = false;
	changing->is_stale = true;
	return OPERATION_AGAIN;
}

static int confirm_answered(struct cluster_operation *operation, const struct nats_message *answer,
			    int error)
{
	int r = making_confirm_answered(operation, answer, error);

	if (r != -EEXIST)
		return r;
	changing_from(operation)->is_stale = true;
	operation->step--;
	return OPERATION_AGAIN;
}

static int change_finish(struct cluster_operation *operation, void *result)
{
	struct entry_change *changing = changing_from(operation);
	struct cluster_making *making = &changing->making;

	cluster_entry_seen(operation->cluster, making->order.sort, making->order.name, making->key,
			   &making->entry, making->revision);
	return 0;
}

/* The steps of new settings. */

static int update_begin(struct cluster_operation *operation)
{
	struct cluster_making *making = making_from(operation);
	CLEANUP_FREE char *text =
		api_stream_config(making->order.sort, making->key, &making->entry.settings);
	char subject[API_SUBJECT_SIZE];

	api_subject("STREAM.UPDATE", making->stream, NULL, subject);
	return operation_ask(operation, subject, text);
}

/* A stream that is missing will be made with the new settings. */
static int update_answered(struct cluster_operation *operation, const struct nats_message *answer,
			   int error)
{
	return error == -EIDRM ? OPERATION_DONE : error;
}

/* The server has refused the settings, so the entry becomes what it was. */
static int restore_begin(struct cluster_operation *operation)
{
	struct entry_change *changing = changing_from(operation);
	struct cluster_making *making = &changing->making;

	return operation_store(operation, &(struct operation_entry){.sort = making->order.sort,
								    .key = making->key,
								    .entry = &changing->old,
								    .revision = making->revision});
}

static int restore_stored(struct cluster_operation *operation, int error, uint64_t revision)
{
	return 0;
}

static const struct operation_step change_steps[] = {
	{.begin = names_begin},
	{.begin = entry_begin, .stored = entry_stored},
	{.begin = making_confirm_begin, .answered = confirm_answered},
	{.begin = NULL},
};

static const struct operation_step set_steps[] = {
	{.begin = entry_begin, .stored = entry_stored},
	{.begin = making_confirm_begin, .answered = confirm_answered},
	{.begin = update_begin, .answered = update_answered},
	{.begin = making_consumer_begin, .answered = making_consumer_answered},
	{.begin = NULL},
};

static const struct operation_step set_undo[] = {
	{.begin = restore_begin, .stored = restore_stored},
	{.begin = NULL},
};

static const struct operation_kind change_kind = {
	.size = sizeof(struct entry_change),
	.steps = change_steps,
	.init = change_init,
	.finish = change_finish,
	.fini = change_fini,
	.act = change_act,
};

static const struct operation_kind set_kind = {
	.size = sizeof(struct entry_change),
	.steps = set_steps,
	.undo = set_undo,
	.init = change_init,
	.finish = change_finish,
	.fini = change_fini,
	.act = set_act,
};

static int run(struct cluster_object *object, struct caller *caller,
	       const struct operation_kind *kind, struct change_order *order)
{
	order->revision = object->revision;
	order->sort = object->sort;
	strcpy(order->name, object->name);
	return operation_run(caller, &(struct operation_call){.cluster = object->cluster,
							      .kind = kind,
							      .order = order,
							      .order_size = sizeof(*order)});
}

/* Whether an earlier step of this request has done it. -ESTALE: it has to be done again. */
static bool is_done(const struct caller *caller, const struct operation_kind *kind, int *ret_result)
{
	return operation_take(caller, kind, ret_result) && *ret_result != -ESTALE;
}

/* Times are not kept in the entry, and each machine has its own. */
int cluster_object_change(struct channel *channel, struct file *file, const struct stat *attr,
			  unsigned changes, struct caller *caller)
{
	struct cluster_object *object = cluster_object_from(channel);
	struct attributes changed;
	struct change_order order;
	int r;

	if (is_done(caller, &change_kind, &r))
		return r;
	r = cluster_await_entry(object, caller);
	if (r < 0)
		return r;
	cluster_object_refresh(object);
	changed = object->attributes;
	r = attributes_change(&changed, attr, changes, caller);
	if (r < 0)
		return r;
	if (!object->is_named)
		return -EIDRM;
	memset(&order, 0, sizeof(order)); /* job_run() compares all of it */
	order.mode = changed.mode & CLUSTER_MODE;
	order.uid = changed.uid;
	order.gid = changed.gid;
	if (changed.uid != object->attributes.uid)
		order.changes |= CHANGE_UID;
	if (changed.gid != object->attributes.gid)
		order.changes |= CHANGE_GID;
	if (order.changes || order.mode != (object->attributes.mode & CLUSTER_MODE))
		return run(object, caller, &change_kind, &order);
	changed.mode = object->attributes.mode;
	object->attributes = changed;
	channel_save(channel);
	return 0;
}

int cluster_object_set(struct channel *channel, const struct settings *settings,
		       struct caller *caller)
{
	struct cluster_object *object = cluster_object_from(channel);
	struct cluster_space *space = cluster_space_from(channel->space);
	struct change_order order;
	int r;

	if (is_done(caller, &set_kind, &r))
		return r;
	r = cluster_await_entry(object, caller);
	if (r < 0)
		return r;
	cluster_object_refresh(object);
	if (!caller_owns(caller, object->attributes.uid))
		return -EPERM;
	if (!object->is_named)
		return -EIDRM;
	memset(&order, 0, sizeof(order)); /* job_run() compares all of it */
	order.is_setting = 1;
	order.settings = object->entry.settings;
	r = space->kind->apply(settings, &order.settings);
	cluster_settings_fill(&order.settings, object->sort);
	if (r == 0)
		r = cluster_check_room(object->cluster, object->entry.owner, &order.settings,
				       object);
	if (r < 0 || memcmp(&order.settings, &object->entry.settings, sizeof(order.settings)) == 0)
		return r;
	return run(object, caller, &set_kind, &order);
}

/* Emptying. */

static int read_purge(const struct nats_message *answer, void *result)
{
	int r = api_check(answer, NULL);

	return r == -EIDRM ? 0 : r; /* nothing waits in a stream that is missing */
}

int cluster_object_truncate(struct channel *channel, struct file *file, off_t size,
			    struct caller *caller)
{
	struct cluster_object *object = cluster_object_from(channel);
	CLEANUP_FREE struct cluster_question *question = calloc(1, sizeof(*question));
	struct stat attr = {0};
	int r;

	if (!question)
		return -ENOMEM;
	if (size != 0)
		return -EINVAL;
	cluster_object_stat(channel, &attr);
	if (!(file && file_reads(file)) && !caller_may(caller, &attr, R_OK))
		return -EACCES;
	if (!object->is_named)
		return -EIDRM;
	api_subject("STREAM.PURGE", object->stream, NULL, question->subject);
	question->read = read_purge;
	r = cluster_ask(object->cluster, caller, question, NULL, 0);
	if (r == 0)
		channel_wake(channel, EPOLLOUT);
	return r;
}
