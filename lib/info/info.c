// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A mirror stands for the directory of a kind, a reflection in it for one object, which is looked
 * up by name at each use.
 */
#include "lib/info/info.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/base/cleanup.h"
#include "lib/channel/channel.h"
#include "lib/channel/folder.h"
#include "lib/info/info_users.h"
#include "lib/info/info_tap.h"
#include "lib/info/info_text.h"
#include "lib/info/scanner.h"

/* The mirror of a kind's directory. */
struct mirror {
	struct space space;
	struct space *target;    /* a reference */
	struct reflection *seen; /* entries that somebody refers to, by name */
};

enum { STATUS, PEERS, PEEK, N_TEXTS };

static const char *const texts[] = {[STATUS] = "status", [PEERS] = "peers", [PEEK] = "peek"};

/*
 * The tap is not listed: it has no end, and grep -r or a backup of info/ would wait in it for ever.
 * Its number follows those of the texts.
 */
static const char tap_name[] = "tap";

/* The mirror of one object: a directory with texts. It may outlive the object. */
struct reflection {
	struct space space;
	struct mirror *mirror; /* a reference */
	char *name;
	ino_t object;          /* number of the object in its space */
	size_t sizes[N_TEXTS]; /* of the last text of each sort */
	UT_hash_handle hh;     /* mirror::seen */
};

static int find_text(const char *name)
{
	for (int i = 0; i < N_TEXTS; i++)
		if (strcmp(name, texts[i]) == 0)
			return i;
	return -ENOENT;
}

/* Whether nothing can be said of the object without asking somebody. */
static bool is_measured(const struct channel *channel)
{
	return info_is_fifo(channel) || channel->space->kind->is_remote;
}

/* Returns NULL if this object has no such text for this caller, because it could only fail. */
static const struct text_ops *text_of(struct channel *channel, int number, struct caller *caller)
{
	switch (number) {
	case STATUS:
		return is_measured(channel) ? &info_measured_status_ops : &info_status_ops;
	case PEERS:
		return channel->space->kind->is_uncounted ? NULL : &info_peers_ops;
	case PEEK:
		return channel_has_peek(channel) && channel_check_read(channel, caller) == 0
			       ? &info_peek_ops
			       : NULL;
	default:
		return NULL;
	}
}

static const struct space_ops mirror_ops;

static struct mirror *mirror_from(struct space *space)
{
	assert(space->ops == &mirror_ops);
	return CONTAINER_OF(space, struct mirror, space);
}

static const struct space_ops reflection_ops;

static struct reflection *reflection_from(struct space *space)
{
	assert(space->ops == &reflection_ops);
	return CONTAINER_OF(space, struct reflection, space);
}

static void reflection_destroy(struct space *space)
{
	struct reflection *reflection = reflection_from(space);

	HASH_DEL(reflection->mirror->seen, reflection);
	space_unref(&reflection->mirror->space);
	free(reflection->name);
	free(reflection);
}

/* Gives a reference to the object. */
static int reflection_find(const struct reflection *reflection, struct caller *caller,
			   struct channel **ret_channel)
{
	struct entry entry;
	int r = space_find(reflection->mirror->target, reflection->name, caller, &entry);

	if (r == 0)
		*ret_channel = entry.channel;
	return r;
}

static ino_t reflection_text_ino(const struct reflection *reflection, int number)
{
	return space_part_ino(reflection->mirror->target, reflection->object,
			      INO_TEXTS + (unsigned)number);
}

static int reflection_list(struct space *space, struct caller *caller, space_entry_fn *entry,
			   void *data)
{
	struct reflection *reflection = reflection_from(space);
	struct channel *channel = NULL;
	int r = reflection_find(reflection, caller, &channel);

	if (r < 0)
		return r;
	for (int i = 0; i < N_TEXTS; i++)
		if (text_of(channel, i, caller) &&
		    !entry(data, texts[i], reflection_text_ino(reflection, i), S_IFREG))
			break;
	channel_unref(channel);
	return 0;
}

/* A text that is quick to make shows its true size, any other the size of the last one. */
static size_t *reflection_size(struct reflection *reflection, int number, struct channel *channel,
			       struct caller *caller)
{
	size_t *size = &reflection->sizes[number];
	size_t now = 0;

	if (number == STATUS && !is_measured(channel) &&
	    !(channel->traits & CHANNEL_STATUS_IS_SLOW))
		now = info_status_size(channel, reflection->name, caller);
	if (now)
		*size = now;
	return size;
}

static int lookup_tap(struct reflection *reflection, struct caller *caller, struct entry *ret_entry)
{
	struct channel *channel = NULL;
	int r = reflection_find(reflection, caller, &channel);

	if (r < 0)
		return r;
	r = info_has_tap(channel, caller) ? 0 : -ENOENT;
	channel_unref(channel);
	return r < 0 ? r
		     : info_tap_new(&reflection->space, reflection->mirror->target,
				    reflection->name, reflection_text_ino(reflection, N_TEXTS),
				    &ret_entry->channel);
}

static int lookup_text(struct space *space, const char *name, struct caller *caller,
		       struct entry *ret_entry)
{
	struct reflection *reflection = reflection_from(space);
	const struct text_ops *ops;
	struct channel *channel = NULL;
	struct info_object *object;
	int number = find_text(name);
	int r = reflection_find(reflection, caller, &channel);

	if (r < 0)
		return r;
	ops = text_of(channel, number, caller);
	object = ops ? calloc(1, sizeof(*object)) : NULL;
	if (object)
		object->size = reflection_size(reflection, number, channel, caller);
	channel_unref(channel);
	if (!object)
		return ops ? -ENOMEM : -ENOENT;
	object->space = space_ref(reflection->mirror->target);
	object->name = strdup(reflection->name);
	if (!object->name) {
		ops->release(object);
		return -ENOMEM;
	}
	r = text_new(space, name, ops, object, &ret_entry->channel);
	if (r == 0)
		text_set_ino(ret_entry->channel, reflection_text_ino(reflection, number));
	return r;
}

static int reflection_lookup(struct space *space, const char *name, struct caller *caller,
			     struct entry *ret_entry)
{
	return strcmp(name, tap_name) == 0 ? lookup_tap(reflection_from(space), caller, ret_entry)
					   : lookup_text(space, name, caller, ret_entry);
}

static const struct space_ops reflection_ops = {
	.destroy = reflection_destroy,
	.list = reflection_list,
	.lookup = reflection_lookup,
};

/* Another object may have the name by now. */
static void reflection_number(struct reflection *reflection, ino_t object)
{
	reflection->object = object;
	reflection->space.ino = space_part_ino(reflection->mirror->target, object, INO_MIRROR);
}

static int reflection_new(struct mirror *mirror, const char *name, struct space **ret_space)
{
	CLEANUP_FREE struct reflection *reflection = calloc(1, sizeof(*reflection));
	CLEANUP_FREE char *copy = strdup(name);

	if (!reflection || !copy)
		return -ENOMEM;
	space_init(&reflection->space, &reflection_ops, mirror->space.host, "");
	reflection->name = copy;
	for (size_t i = 0; i < N_TEXTS; i++)
		reflection->sizes[i] = TEXT_SIZE_UNKNOWN;
	HASH_ADD_KEYPTR(hh, mirror->seen, copy, strlen(copy), reflection);
	if (!reflection->hh.tbl)
		return -ENOMEM;
	TAKE_PTR(copy);
	reflection->mirror = mirror;
	space_ref(&mirror->space);
	*ret_space = &TAKE_PTR(reflection)->space;
	return 0;
}

static void mirror_destroy(struct space *space)
{
	struct mirror *mirror = mirror_from(space);

	space_unref(mirror->target);
	free(mirror);
}

/* A listing of the target, with a directory for each object. */
struct mirror_listing {
	struct mirror *mirror;
	space_entry_fn *entry;
	void *data;
};

static bool mirror_entry(void *data, const char *name, ino_t ino, mode_t mode)
{
	struct mirror_listing *listing = data;

	return listing->entry(listing->data, name,
			      space_part_ino(listing->mirror->target, ino, INO_MIRROR), S_IFDIR);
}

static int mirror_list(struct space *space, struct caller *caller, space_entry_fn *entry,
		       void *data)
{
	struct mirror_listing listing = {mirror_from(space), entry, data};
	int r;

	if (listing.mirror->target->kind->is_uncounted)
		return 0;
	r = space_list(listing.mirror->target, caller, mirror_entry, &listing);
	return r == -EHOSTDOWN ? 0 : r; /* nothing is known: no reason for grep -r to fail */
}

static int mirror_lookup(struct space *space, const char *name, struct caller *caller,
			 struct entry *ret_entry)
{
	struct mirror *mirror = mirror_from(space);
	struct reflection *reflection;
	struct entry target;
	struct stat attr;
	int r = space_find(mirror->target, name, caller, &target);

	if (r < 0)
		return r;
	r = channel_stat(target.channel, &attr);
	entry_unref(&target);
	if (r < 0)
		return r;
	HASH_FIND_STR(mirror->seen, name, reflection);
	if (!reflection)
		r = reflection_new(mirror, name, &ret_entry->space);
	else
		ret_entry->space = space_ref(&reflection->space);
	if (r == 0)
		reflection_number(reflection_from(ret_entry->space), attr.st_ino);
	return r;
}

static const struct space_ops mirror_ops = {
	.holds_directories = true,
	.destroy = mirror_destroy,
	.list = mirror_list,
	.lookup = mirror_lookup,
};

static int add_mirror(struct folder *info, struct space *target)
{
	struct mirror *mirror = calloc(1, sizeof(*mirror));
	char path[PATH_MAX];

	if (!mirror)
		return -ENOMEM;
	snprintf(path, sizeof(path), "info/%s", target->kind->path);
	space_init(&mirror->space, &mirror_ops, target->host, path);
	space_last(&mirror->space);
	mirror->target = space_ref(target);
	return folder_add_at(info, "info/", target->kind->path, &mirror->space);
}

static int add_text(struct folder *info, const char *name, const struct text_ops *ops)
{
	struct space *space = folder_space(info);
	struct entry entry = {0};
	int r = text_new(space, name, ops, space->host, &entry.channel);

	return r < 0 ? r : folder_add(info, name, entry);
}

/* What there is to say of the connection stands beside the kinds that need it. */
static int add_cluster(struct folder *info)
{
	struct folder *cluster;
	int r = folder_enter(info, "cluster", "info/cluster", &cluster);

	return r < 0 ? r : add_text(cluster, "status", &info_cluster_ops);
}

static const struct {
	const char *name;
	const struct text_ops *ops;
} tables[] = {
	{"summary", &info_summary_ops},  {"inventory.json", &info_inventory_ops},
	{"metrics", &info_metrics_ops},  {"graph.dot", &info_graph_ops},
	{"index.html", &info_index_ops}, {"leaks", &info_leaks_ops},
};

int info_new(struct host *host, struct space **ret_space)
{
	struct folder *info;
	int r = scanner_new(host, &host->scanner);

	if (r == 0)
		r = folder_new(host, "info", &info);
	if (r < 0) {
		info_end(host);
		return r;
	}
	for (size_t i = 0; r == 0 && i < sizeof(tables) / sizeof(*tables); i++)
		r = add_text(info, tables[i].name, tables[i].ops);
	for (struct space **target = host->spaces; r == 0 && *target; target++)
		r = add_mirror(info, space_shown(*target));
	if (r == 0 && host->remote.status)
		r = add_cluster(info);
	*ret_space = folder_space(info);
	host->adopt_tap = info_tap_adopt;
	if (r < 0) {
		folder_clear(*ret_space);
		space_unref(*ret_space);
		info_end(host);
	}
	return r;
}

void info_end(struct host *host)
{
	scanner_free(TAKE_PTR(host->scanner));
}
