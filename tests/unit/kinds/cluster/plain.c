// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The space's own reference keeps an object that was found, so tests need not give back their own.
 */
#include "tests/unit/kinds/cluster/plain.h"

#include "tests/unit/fixture.h"
#include "tests/unit/held.h"
#include "tests/unit/kinds/cluster/server.h"
#include "tests/unit/objects.h"

struct plain_counts plain_counts;

/* What plain_wait() waits for. */
static struct {
	const unsigned *count; /* NULL: nothing */
	unsigned n;
	bool is_there;
} wanted;

static void count_one(unsigned *count)
{
	(*count)++;
	if (!wanted.count || *wanted.count < wanted.n)
		return;
	wanted.is_there = true;
	loop_end();
}

void plain_wait(const unsigned *count, unsigned n)
{
	wanted.count = count;
	wanted.n = n;
	wanted.is_there = *count >= n;
	if (!wanted.is_there)
		loop_wait(&wanted.is_there);
	wanted.count = NULL;
}

static int plain_change(struct channel *channel, struct file *file, const struct stat *attr,
			unsigned changes, struct caller *caller)
{
	return -EPERM;
}

static const struct channel_ops plain_ops = {
	.destroy = cluster_object_destroy,
	.stat = cluster_object_stat,
	.change = plain_change,
};

static void plain_init(struct cluster_object *object)
{
	count_one(&plain_counts.n_made);
}

static void plain_unnamed(struct cluster_object *object)
{
	ck_assert(!object->is_named);
	count_one(&plain_counts.n_unnamed);
}

static void plain_fini(struct cluster_object *object)
{
	count_one(&plain_counts.n_freed);
}

static const struct cluster_kind plain_sort = {
	.sort = CLUSTER_QUEUES,
	.object_size = sizeof(struct cluster_object),
	.init = plain_init,
	.unnamed = plain_unnamed,
	.fini = plain_fini,
};

static int plain_space_open(struct space **ret_space, struct host *host_)
{
	return cluster_space_open(ret_space, host_, &plain_kind, &plain_sort);
}

const struct kind plain_kind = {
	.path = "cluster/queues",
	.is_remote = true,
	.channel = &plain_ops,
	.open = plain_space_open,
};

static void note_known(struct host *host_)
{
	count_one(&plain_counts.n_known);
}

static void note_line(int priority, const char *text)
{
	count_one(&plain_counts.n_logged);
}

struct space *plain_open(const char *servers)
{
	host.remote.servers = servers ? servers : SERVER_URL;
	host.remote.known = note_known;
	host.log = note_line;
	return fixture_open(&plain_kind);
}

struct cluster *plain_cluster(void)
{
	return host.remote.cluster;
}

struct cluster_entry plain_entry(unsigned mode, int64_t created)
{
	return (struct cluster_entry){
		.owner = "root",
		.group = "root",
		.mode = mode,
		.created = created,
	};
}

void plain_see(const char *name, unsigned mode, int64_t created, uint64_t revision)
{
	struct cluster_entry entry = plain_entry(mode, created);
	char key[CLUSTER_KEY_SIZE];

	must(cluster_key_from_name(name, key));
	cluster_entry_seen(plain_cluster(), CLUSTER_QUEUES, name, key, &entry, revision);
}

void plain_miss(const char *name, uint64_t revision)
{
	cluster_entry_gone(plain_cluster(), CLUSTER_QUEUES, name, revision);
}

struct lookup {
	struct space *space;
	const char *name;
	struct entry entry;
};

static int try_to_find(void *data)
{
	struct lookup *lookup = data;

	return space_find(lookup->space, lookup->name, &root, &lookup->entry);
}

struct cluster_object *plain_find(struct space *space, const char *name)
{
	struct lookup lookup = {.space = space, .name = name};
	int r = loop_wait_for(&root, try_to_find, &lookup);

	if (r == -ENOENT)
		return NULL;
	must(r);
	object_unref(lookup.entry.channel);
	return cluster_object_from(lookup.entry.channel);
}
