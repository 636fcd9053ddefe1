// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The spaces of cluster/ and what they share, which is made with the first space and freed with the
 * last.
 */
#include "lib/kinds/cluster/cluster.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/cluster/accounts.h"
#include "lib/kinds/cluster/bucket.h"
#include "lib/kinds/cluster/operation.h"

static const struct space_ops cluster_space_ops;

/* What all share. */

static void cluster_status(const struct host *host, struct row *row)
{
	const struct cluster *cluster = host->remote.cluster;

	nats_link_status(cluster->link, row);
	row_add_word(row, "names", cluster_is_known(cluster) ? "known" : "unknown");
	row_add_number(row, "objects", cluster->n_objects);
}

static void cluster_free(struct cluster *cluster)
{
	struct host *host = cluster->host;

	if (host->remote.cluster == cluster) {
		host->remote.cluster = NULL;
		host->remote.status = NULL;
	}
	loop_cancel(host->loop, &cluster->answered);
	cluster_passed(cluster, UINT64_MAX);
	operations_free(cluster->operations);
	bucket_free(cluster->bucket);
	nats_link_free(cluster->link);
	accounts_free(cluster->accounts);
	if (cluster->alarms)
		alarm_cancel(&cluster->impatience);
	alarms_free(cluster->alarms);
	free(cluster);
}

static void run_answered(struct loop_task *task)
{
	cluster_end_waits(CONTAINER_OF(task, struct cluster, answered));
}

static void ring_impatience(struct alarm *alarm)
{
	cluster_end_waits(CONTAINER_OF(alarm, struct cluster, impatience));
}

static int cluster_new(struct host *host, struct cluster **ret_cluster)
{
	struct cluster *cluster = calloc(1, sizeof(*cluster));
	int r;

	if (!cluster)
		return -ENOMEM;
	cluster->host = host;
	cluster->answered.run = run_answered;
	cluster->impatience.ring = ring_impatience;
	r = alarms_new(host->loop, &cluster->alarms);
	if (r == 0)
		r = accounts_new(host, &cluster->answered, &cluster->accounts);
	if (r == 0)
		r = nats_link_new(host, &cluster->link);
	if (r == 0)
		r = bucket_new(cluster, &cluster->bucket);
	if (r == 0)
		r = operations_new(cluster, &cluster->operations);
	if (r < 0) {
		cluster_free(cluster);
		return r;
	}
	host->remote.cluster = cluster;
	host->remote.status = cluster_status;
	*ret_cluster = cluster;
	return 0;
}

bool cluster_is_known(const struct cluster *cluster)
{
	return bucket_is_known(cluster->bucket);
}

/* Spaces. */

struct cluster_space *cluster_space_from(struct space *space)
{
	assert(space->ops == &cluster_space_ops);
	return CONTAINER_OF(space, struct cluster_space, space);
}

int cluster_space_open(struct space **ret_space, struct host *host, const struct kind *kind,
		       const struct cluster_kind *cluster_kind)
{
	struct cluster_space *space = calloc(1, sizeof(*space));
	struct cluster *cluster = host->remote.cluster;
	int r = 0;

	if (!space)
		return -ENOMEM;
	if (!cluster)
		r = cluster_new(host, &cluster);
	if (r < 0) {
		free(space);
		return r;
	}
	assert(!cluster->spaces[cluster_kind->sort]);
	cluster->n_refs++;
	cluster->spaces[cluster_kind->sort] = space;
	space->cluster = cluster;
	space->kind = cluster_kind;
	space_init(&space->space, &cluster_space_ops, host, kind->path);
	space->space.kind = kind;
	space->space.is_own = true;
	space->space.ino_unit = INO_OWN;
	space->space.ino_bits = INO_UNIT_BITS;
	*ret_space = &space->space;
	return 0;
}

static void space_destroy(struct space *space_)
{
	struct cluster_space *space = cluster_space_from(space_);
	struct cluster *cluster = space->cluster;
	struct cluster_object *object, *next;

	cluster->spaces[space->kind->sort] = NULL;
	HASH_ITER(hh, space->objects, object, next) {
		cluster_object_unname(object);
	}
	free(space);
	if (--cluster->n_refs == 0)
		cluster_free(cluster);
}

struct cluster_object *cluster_find(const struct cluster_space *space, const char *name)
{
	struct cluster_object *object;

	HASH_FIND_STR(space->objects, name, object);
	return object;
}

static int space_lookup_name(struct space *space_, const char *name, struct caller *caller,
			     struct entry *ret_entry)
{
	struct cluster_space *space = cluster_space_from(space_);
	struct cluster_object *object = cluster_find(space, name);
	int r = object && object->is_adopted ? 0 : cluster_await_names(space->cluster, caller);

	if (r < 0)
		return r;
	object = cluster_find(space, name);
	if (!object)
		return -ENOENT;
	r = cluster_await_owner(object, caller);
	if (job_is_awaited(r))
		return r;
	ret_entry->channel = channel_ref(&object->channel);
	return 0;
}

static int space_list_names(struct space *space_, struct caller *caller, space_entry_fn *entry,
			    void *data)
{
	struct cluster_space *space = cluster_space_from(space_);
	struct cluster_object *object, *next;
	int r = cluster_await_names(space->cluster, caller);

	if (r < 0)
		return r;
	HASH_ITER(hh, space->objects, object, next) {
		if (!entry(data, object->name, object->attributes.ino, object->attributes.mode))
			break;
	}
	return 0;
}

bool cluster_has_room(const struct cluster *cluster)
{
	return cluster->n_objects < CLUSTER_OBJECTS_MAX;
}

static void space_fill_room(const struct space *space, const struct caller *caller,
			    struct statvfs *room)
{
	room_set_files(room, CLUSTER_OBJECTS_MAX,
		       ((const struct cluster_space *)space)->cluster->n_objects);
}

static uint64_t space_count_names(const struct space *space)
{
	return HASH_COUNT(((const struct cluster_space *)space)->objects);
}

static const struct space_ops cluster_space_ops = {
	.lists_by_job = true,
	.destroy = space_destroy,
	.list = space_list_names,
	.lookup = space_lookup_name,
	.create = cluster_create,
	.remove = cluster_remove,
	.room = space_fill_room,
	.count = space_count_names,
};
