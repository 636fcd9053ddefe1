// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Objects come and go with their entries in the bucket. The name holds one reference: an object
 * that was removed lives on, without its name, while someone uses it.
 *
 * What this daemon itself stores in the bucket, it knows before the watch tells: revisions say
 * which is newer, and a name that was removed is remembered until the watch has come as far, since
 * it might still tell of the entry before.
 */
#include "lib/kinds/cluster/cluster.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <syslog.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/channel/record.h"
#include "lib/channel/tap.h"
#include "lib/kinds/cluster/accounts.h"
#include "lib/kinds/cluster/cluster_sender.h"

#define PERMISSIONS 0777
/* The most names that are remembered as removed, before the watch tells. */
#define GONE_MOST 1024

struct gone_name {
	enum cluster_sort sort;
	uint64_t revision;
	char name[NAME_MAX + 1];
	struct gone_name *prev, *next; /* cluster::gone, oldest first */
};

struct cluster_object *cluster_object_from(struct channel *channel)
{
	cluster_space_from(channel->space); /* which asserts that it is one of ours */
	return CONTAINER_OF(channel, struct cluster_object, channel);
}

static const struct cluster_kind *kind_of(const struct cluster_object *object)
{
	return ((const struct cluster_space *)object->channel.space)->kind;
}

void cluster_object_destroy(struct channel *channel)
{
	struct cluster_object *object = cluster_object_from(channel);

	if (kind_of(object)->fini)
		kind_of(object)->fini(object);
	sender_free(object->sender);
	numbers_give(&channel->space->host->numbers, object->attributes.ino);
	free(object);
}

void cluster_object_refresh(struct cluster_object *object)
{
	struct accounts *accounts = object->cluster->accounts;
	uid_t uid = object->attributes.uid;
	gid_t gid = object->attributes.gid;

	if (object->is_adopted)
		return;
	object->attributes.uid = accounts_id(accounts, ACCOUNT_USER, object->entry.owner);
	object->attributes.gid = accounts_id(accounts, ACCOUNT_GROUP, object->entry.group);
	if (object->attributes.uid != uid || object->attributes.gid != gid)
		channel_save(&object->channel);
}

int cluster_object_stat(struct channel *channel, struct stat *ret_attr)
{
	struct cluster_object *object = cluster_object_from(channel);

	cluster_object_refresh(object);
	attributes_stat(&object->attributes, ret_attr);
	ret_attr->st_nlink = object->is_named;
	return 0;
}

/* Notes in the directory that a name has come or gone. */
static void touch_space(struct cluster_object *object)
{
	space_touch(object->channel.space);
}

void cluster_object_unname(struct cluster_object *object)
{
	struct cluster_space *space = cluster_space_from(object->channel.space);

	HASH_DEL(space->objects, object);
	space->cluster->n_objects--;
	object->is_named = false;
	attributes_touch(&object->attributes.ctime);
	touch_space(object);
	if (space->space.host->nodes.unnamed)
		space->space.host->nodes.unnamed(space->space.host);
	if (kind_of(object)->unnamed)
		kind_of(object)->unnamed(object);
	if (object->channel.tap)
		tap_look(&object->channel);
	channel_save(&object->channel);
	channel_wake(&object->channel, EPOLLIN | EPOLLOUT | EPOLLHUP);
	channel_unref(&object->channel);
}

/* Entries. */

/* Keeps settings that anybody may have written within what makes sense. */
static void tame(struct cluster_settings *settings)
{
#define AT_MOST(setting, most)            \
	do {                              \
		if ((setting) > (most))   \
			(setting) = most; \
	} while (0)
	AT_MOST(settings->maxmsg, INT64_MAX);
	AT_MOST(settings->maxbytes, INT64_MAX);
	AT_MOST(settings->msgsize, INT32_MAX);
	AT_MOST(settings->replicas, CLUSTER_REPLICAS_MAX);
	AT_MOST(settings->history, CLUSTER_HISTORY_MAX);
	AT_MOST(settings->ack_wait, (uint64_t)(24 * 60 * 60 * CLOCK_S));
#undef AT_MOST
	if (settings->ack_wait && settings->ack_wait < (uint64_t)CLOCK_MS)
		settings->ack_wait = (uint64_t)CLOCK_MS;
}

void cluster_object_take_entry(struct cluster_object *object, const struct cluster_entry *entry,
			       uint64_t revision)
{
	object->entry = *entry;
	tame(&object->entry.settings);
	object->revision = revision;
	object->attributes.mode = S_IFREG | (entry->mode & PERMISSIONS);
	cluster_object_refresh(object);
}

/* Logs that there are too many objects, once. */
static void note_full(struct cluster *cluster)
{
	if (!cluster->is_full && cluster->host->log)
		cluster->host->log(LOG_WARNING,
				   "cluster: there are too many objects; the rest is left out");
	cluster->is_full = true;
}

struct cluster_object *cluster_object_new(struct cluster_space *space, const char *name,
					  const char *key)
{
	struct cluster_object *object = calloc(1, space->kind->object_size);

	if (!object)
		return NULL;
	object->cluster = space->cluster;
	object->sort = space->kind->sort;
	strcpy(object->name, name);
	strcpy(object->key, key);
	if (*name) {
		HASH_ADD_STR(space->objects, name, object);
		if (!object->hh.tbl) {
			free(object);
			return NULL;
		}
		object->is_named = true;
		space->cluster->n_objects++;
	}
	cluster_stream_name(object->sort, key, object->stream);
	cluster_subject(object->sort, key, object->subject);
	channel_init(&object->channel, space->space.kind->channel, &space->space, CHANNEL_STREAM);
	traffic_begin(&object->channel.traffic);
	return object;
}

static void add_object(struct cluster_space *space, const char *name, const char *key,
		       const struct cluster_entry *entry, uint64_t revision)
{
	struct timespec made = {.tv_sec = entry->created > 0 ? entry->created : 0};
	struct cluster_object *object = NULL;

	if (cluster_has_room(space->cluster))
		object = cluster_object_new(space, name, key);
	else
		note_full(space->cluster);
	if (!object)
		return;
	object->attributes = (struct attributes){
		.ino = numbers_take(&space->space.host->numbers),
		.atime = made,
		.mtime = made,
		.ctime = made,
		.btime = made,
	};
	object->sweep = space->cluster->sweep;
	cluster_object_take_entry(object, entry, revision);
	touch_space(object);
	if (space->kind->init)
		space->kind->init(object);
}

/* Of an adopted object, nothing need have changed. */
static void change_object(struct cluster_object *object, const struct cluster_entry *entry,
			  uint64_t revision)
{
	bool is_adopted = object->is_adopted;

	object->is_adopted = false;
	cluster_object_take_entry(object, entry, revision);
	if (!is_adopted)
		attributes_touch(&object->attributes.ctime);
	channel_save(&object->channel);
	channel_wake(&object->channel, EPOLLIN | EPOLLOUT);
}

static struct gone_name *gone_find(const struct cluster *cluster, enum cluster_sort sort,
				   const char *name)
{
	struct gone_name *gone;

	DL_FOREACH(cluster->gone, gone) {
		if (gone->sort == sort && strcmp(gone->name, name) == 0)
			return gone;
	}
	return NULL;
}

static void gone_drop(struct cluster *cluster, struct gone_name *gone)
{
	DL_DELETE(cluster->gone, gone);
	cluster->n_gone--;
	free(gone);
}

void cluster_entry_seen(struct cluster *cluster, enum cluster_sort sort, const char *name,
			const char *key, const struct cluster_entry *entry, uint64_t revision)
{
	struct cluster_space *space = cluster->spaces[sort];
	const struct gone_name *gone = gone_find(cluster, sort, name);
	struct cluster_object *object = space ? cluster_find(space, name) : NULL;

	if (!space || (gone && gone->revision > revision))
		return;
	/* In a new sweep, what it tells first is true: the bucket may be another one. */
	if (object && object->sweep != cluster->sweep && object->revision != revision)
		object->revision = 0;
	if (object)
		object->sweep = cluster->sweep;
	if (object && object->revision >= revision)
		return;
	if (object && object->entry.created != entry->created)
		cluster_object_unname(TAKE_PTR(object));
	if (object)
		change_object(object, entry, revision);
	else
		add_object(space, name, key, entry, revision);
}

static void note_gone(struct cluster *cluster, enum cluster_sort sort, const char *name,
		      uint64_t revision)
{
	struct gone_name *gone = gone_find(cluster, sort, name);

	if (!gone) {
		if (cluster->n_gone == GONE_MOST)
			gone_drop(cluster, cluster->gone);
		gone = calloc(1, sizeof(*gone));
		if (!gone)
			return;
		gone->sort = sort;
		strcpy(gone->name, name);
		DL_APPEND(cluster->gone, gone);
		cluster->n_gone++;
	}
	if (gone->revision < revision)
		gone->revision = revision;
}

void cluster_entry_gone(struct cluster *cluster, enum cluster_sort sort, const char *name,
			uint64_t revision)
{
	struct cluster_space *space = cluster->spaces[sort];
	struct cluster_object *object = space ? cluster_find(space, name) : NULL;

	note_gone(cluster, sort, name, revision);
	if (object && (object->revision < revision || object->sweep != cluster->sweep))
		cluster_object_unname(object);
}

void cluster_passed(struct cluster *cluster, uint64_t revision)
{
	struct gone_name *gone, *next;

	DL_FOREACH_SAFE(cluster->gone, gone, next) {
		if (gone->revision <= revision)
			gone_drop(cluster, gone);
	}
}

void cluster_sweep_begin(struct cluster *cluster)
{
	cluster->sweep++;
	cluster_passed(cluster, UINT64_MAX);
}

void cluster_sweep_end(struct cluster *cluster)
{
	struct cluster_object *object, *next;

	for (int i = 0; i < CLUSTER_N_SORTS; i++) {
		if (!cluster->spaces[i])
			continue;
		HASH_ITER(hh, cluster->spaces[i]->objects, object, next) {
			if (object->sweep != cluster->sweep)
				cluster_object_unname(object);
		}
	}
	cluster_end_waits(cluster);
	if (cluster->host->remote.known)
		cluster->host->remote.known(cluster->host);
}
