// SPDX-License-Identifier: GPL-2.0-or-later
/* A queue on the fake link. The loop is not run: what waits for time is waited for by turns. */
#include "tests/unit/kinds/cluster/fake_queue.h"

#include <time.h>

#include "lib/base/clock.h"
#include "lib/kinds/kinds.h"
#include "tests/unit/fixture.h"

enum { SECONDS = 20 };

static struct space *space;
static uint64_t revision;

struct cluster_object *fake_queue(void)
{
	const struct cluster_entry entry = {
		.owner = "root", .group = "root", .mode = 0666, .created = 1};
	struct cluster_space *queues;

	host.remote.servers = "nats://127.0.0.1:1";
	host.is_serving = true;
	must(cluster_queue_kind.open(&space, &host));
	queues = cluster_space_from(space);
	fake_up();
	cluster_entry_seen(queues->cluster, CLUSTER_QUEUES, "jobs", "jobs", &entry, ++revision);
	return cluster_find(queues, "jobs");
}

struct file *fake_open(struct cluster_object *queue, int flags)
{
	const struct selector none = {0};
	struct file *file;

	must(channel_open(&queue->channel, flags, &none, &root, &file));
	return file;
}

void fake_close(struct file *const files[])
{
	for (; *files; files++)
		channel_release(*files);
	loop_settle();
	cluster_entry_gone(cluster_space_from(space)->cluster, CLUSTER_QUEUES, "jobs", ++revision);
	space_unref(space);
	fake_fini();
}

void fake_remove(struct cluster_object *queue)
{
	cluster_entry_gone(queue->cluster, CLUSTER_QUEUES, "jobs", ++revision);
	loop_settle();
}

static void turn(void)
{
	nanosleep(&(struct timespec){.tv_nsec = CLOCK_MS}, NULL);
	loop_settle();
}

void fake_wait_asked(const char *subject, unsigned n)
{
	int64_t until = clock_now() + SECONDS * CLOCK_S;

	while (fake_n_asked(subject) != n && clock_now() < until)
		turn();
	ck_assert_uint_eq(fake_n_asked(subject), n);
}

void fake_wait_naks(unsigned n)
{
	int64_t until = clock_now() + SECONDS * CLOCK_S;

	while (fake_told.n_naks != n && clock_now() < until)
		turn();
	ck_assert_uint_eq(fake_told.n_naks, n);
}
