// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How much a user may have in the cluster: so many objects, and so many bytes in all of them.
 */
#include <errno.h>

#include "lib/base/cleanup.h"
#include "lib/kinds/cluster/cluster_make.h"

struct room {
	uid_t uid;
	uint64_t n, bytes;
};

static uint64_t bytes_of(const struct cluster_settings *settings)
{
	uint64_t bytes;

	if (__builtin_mul_overflow(settings->maxbytes, settings->replicas, &bytes))
		return UINT64_MAX / 2;
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

	if (operation->uid == room->uid &&
	    !operation_object(operation, making->order.sort, making->order.name))
		room_add(room, making->order.sort, making->order.settings);
}

int cluster_check_room(const struct cluster *cluster, uid_t uid,
		       const struct cluster_settings *settings,
		       const struct cluster_object *besides)
{
	struct room room = {.uid = uid};
	struct cluster_object *object, *next;

	for (enum cluster_sort sort = 0; sort < CLUSTER_N_SORTS; sort++) {
		if (!cluster->spaces[sort])
			continue;
		HASH_ITER(hh, cluster->spaces[sort]->objects, object, next) {
			if (object->attributes.uid == uid && object != besides)
				room_add(&room, sort, object->entry.settings);
		}
	}
	operations_visit(cluster, &cluster_create_kind, room_visit, &room);
	if (!besides && room.n >= cluster->host->users.limits[USER_CHANNELS])
		return -EMFILE;
	if (uid != 0 && (room.bytes > CLUSTER_USER_BYTES ||
			 bytes_of(settings) > CLUSTER_USER_BYTES - room.bytes))
		return -EDQUOT;
	return 0;
}
