// SPDX-License-Identifier: GPL-2.0-or-later
/* What tests/unit/kinds/cluster/adopt_object.h describes, on the fake link. */
#include "tests/unit/kinds/cluster/adopt_object.h"

#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"

static const struct kind *kind;
static enum cluster_sort sort;

static void prepare(void)
{
	host.remote.servers = "nats://127.0.0.1:1";
	host.is_serving = true;
}

static void see(struct cluster *cluster, int64_t created, uint64_t revision)
{
	const struct cluster_entry entry = {.owner = "root",
					    .group = "root",
					    .mode = 0640,
					    .created = created,
					    .settings = {.maxmsg = 7, .ack_wait = 5000000000}};

	cluster_entry_seen(cluster, sort, "news", "news", &entry, revision);
}

struct cluster_object *adopt_object(const struct kind *of_kind, enum cluster_sort of_sort)
{
	struct cluster_space *space;

	kind = of_kind;
	sort = of_sort;
	adopt_prepare = prepare;
	prepare();
	space = cluster_space_from(adopt_open(kind));
	fake_up();
	adopt_sweep(space->cluster, 1);
	return cluster_find(space, "news");
}

struct cluster_object *adopt_next(const struct cluster_object *former)
{
	struct channel *channel;

	adopt_restart();
	channel = adopted_channel(&former->channel);
	ck_assert_ptr_nonnull(channel);
	return cluster_object_from(channel);
}

struct cluster_object *adopt_next_up(const struct cluster_object *former)
{
	struct cluster_object *object = adopt_next(former);

	fake_up();
	adopt_sweep(object->cluster, 1);
	loop_settle();
	return object;
}

void adopt_sweep(struct cluster *cluster, int64_t created)
{
	cluster_sweep_begin(cluster);
	if (created)
		see(cluster, created, 9);
	cluster_sweep_end(cluster);
}

void adopt_lend(struct file *file, const char *text)
{
	struct pieces pieces;

	host.journal->request = REQUEST;
	ck_assert_uint_eq((size_t)must(channel_lend(file, 100, 0, &pieces)), strlen(text));
	ck_assert_mem_eq(pieces.iov[0].iov_base, text, strlen(text));
}

void adopt_end(struct file *const files[])
{
	for (; *files; files++)
		channel_release(*files);
	loop_settle();
	fake_fini();
}
