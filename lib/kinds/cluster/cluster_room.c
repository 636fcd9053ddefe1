// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How much a user may have in the cluster: so many objects, and so many bytes in all of them.
 */
#include <errno.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/cluster/cluster_make.h"

/* What an owner has. */
struct room {
	const char *owner;
	uint64_t n, bytes;
};

static uint64_t bytes_of(const struct cluster_settings *settings)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(settings->maxbytes, settings->replicas, &bytes))
		return UINT64_MAX;
	return bytes;
}

static void room_add(struct room *room, enum cluster_sort sort, struct cluster_settings settings)
{
	cluster_settings_fill(&settings, sort);
	room->n++;
	if (__builtin_add_overflow(room->bytes, bytes_of(&settings), &room->bytes))
		room->bytes = UINT64_MAX;
}

/* Objects that are being made count, too: nobody may have more by making many at once. */
static void room_visit(const struct cluster_operation *operation, void *data)
{
	const struct cluster_making *making =
		CONTAINER_OF(operation, struct cluster_making, operation);
	struct room *room = data;

	if (making->is_counted && strcmp(making->entry.owner, room->owner) == 0 &&
	    !operation_object(operation, making->order.sort, making->order.name))
		room_add(room, making->order.sort, making->order.settings);
}

int cluster_check_room(const struct cluster *cluster, const char *owner,
		       const struct cluster_settings *settings,
		       const struct cluster_object *besides)
{
	struct room room = {.owner = owner};
	struct cluster_object *object, *next;

	for (int sort = 0; sort < CLUSTER_N_SORTS; sort++) {
		if (!cluster->spaces[sort])
			continue;
		HASH_ITER(hh, cluster->spaces[sort]->objects, object, next) {
			if (object != besides && strcmp(object->entry.owner, owner) == 0)
				room_add(&room, sort, object->entry.settings);
		}
	}
	operations_visit(cluster, &cluster_create_kind, room_visit, &room);
	if (!besides && !cluster_has_room(cluster))
		return -ENOSPC;
	if (!besides && room.n >= cluster->host->users.limits[USER_CHANNELS])
		return -EMFILE;
	if (strcmp(owner, "root") != 0 && (room.bytes > CLUSTER_USER_BYTES ||
					   bytes_of(settings) > CLUSTER_USER_BYTES - room.bytes))
		return -EDQUOT;
	return 0;
}

const char *cluster_explain(const struct settings *settings, unsigned replicas, int error)
{
	switch (error) {
	case -EINVAL:
		return settings_has(settings, replicas)
			       ? "replicas= is more than the cluster has servers"
			       : NULL;
	case -EMFILE:
		return "more objects than a user may have (mount option max_channels)";
	case -EDQUOT:
		return "more than 4 GiB for all objects of a user, replicas counted";
	default:
		return NULL;
	}
}
