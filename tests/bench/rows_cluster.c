// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queues of cluster/ and a program that uses libnats itself, with the same nats-server on this
 * machine: publish until the server has acknowledged, and consume until it has been told so.
 *
 * One at a time is one thread that writes or reads. 64 at a time is 64 threads, against one thread
 * that has 64 messages under way: that is how each of the two does it.
 *
 * The native side starts the server, and the other mounts an ipcfs that uses it. Each has a queue
 * of its own.
 */
#include <fcntl.h>
#include <mqueue.h>
#include <stdint.h>

#include "tests/bench/daemon.h"
#include "tests/bench/ends.h"
#include "tests/bench/must.h"
#include "tests/bench/nats_native.h"
#include "tests/bench/team.h"
#include "tests/bench/work.h"

/* Messages that wait before a batch is consumed, and so the most that it can have. */
#define STOCK 1024

struct cluster {
	struct nats *nats;
	size_t n_consumed; /* since the stock was filled */
	/* Of ipcfs alone. */
	struct bench fresh; /* its mount */
	char options[256];
	struct team *team; /* NULL: one at a time */
	int fds[NATS_WINDOW];
	const struct ends *ends;
};

static uint16_t port; /* of the server, which the native side starts first */

static struct cluster *cluster_of(const struct ends *ends)
{
	return ends->state;
}

static struct cluster *cluster_new(struct ends *ends)
{
	struct cluster *cluster = calloc(1, sizeof(*cluster));

	if (!cluster)
		fail("out of memory");
	cluster->ends = ends;
	ends->state = cluster;
	return cluster;
}

static void connect_native(struct ends *ends, bool is_prompt)
{
	struct cluster *cluster = cluster_new(ends);

	port = nats_start(ends);
	cluster->nats = nats_open(port, is_prompt);
	nats_make_queue(cluster->nats, "native");
	nats_use_queue(cluster->nats, "native");
}

/* As libnats is by itself, which suits many messages. */
static void native_open(struct ends *ends)
{
	connect_native(ends, false);
}

static void native_prompt_open(struct ends *ends)
{
	connect_native(ends, true);
}

static void native_close(struct ends *ends)
{
	nats_close(cluster_of(ends)->nats);
	nats_clear(ends);
	free(ends->state);
}

/* Mounts an ipcfs with cluster/, which is placed as the daemon. */
static void mount_cluster(struct ends *ends)
{
	struct cluster *cluster = cluster_of(ends);
	const char *options = ends->bench->options;
	struct bench bench = *ends->bench;

	snprintf(cluster->options, sizeof(cluster->options), "cluster=nats://127.0.0.1:%u%s%s",
		 (unsigned)port, options ? "," : "", options ? options : "");
	bench.options = cluster->options;
	bench_fresh(&cluster->fresh, &bench);
	ends_borrow(ends, ROLE_DAEMON, cluster->fresh.daemon);
	bench_command(&cluster->fresh, "create cluster/queues/bench");
}

static void ipcfs_open(struct ends *ends, int flags)
{
	struct cluster *cluster = cluster_new(ends);

	mount_cluster(ends);
	cluster->nats = nats_open(port, false);
	nats_use_queue(cluster->nats, "bench");
	for (int i = 0; i < NATS_WINDOW; i++)
		cluster->fds[i] = must(open(bench_mount(&cluster->fresh, "cluster/queues/bench"),
					    flags | O_CLOEXEC));
}

static void ipcfs_close(struct ends *ends)
{
	struct cluster *cluster = cluster_of(ends);

	team_free(cluster->team);
	for (int i = 0; i < NATS_WINDOW; i++)
		close(cluster->fds[i]);
	nats_close(cluster->nats);
	bench_end_fresh(&cluster->fresh);
	free(cluster);
}

/*
 * The way through the kernel and the daemon, which a cluster's queue cannot save, is that of a
 * local queue: the native side pays it as well where that is told.
 */
static void open_local(struct ends *ends)
{
	mq_close(must(mq_open("/bench-there", O_RDWR | O_CREAT | O_CLOEXEC, 0600, NULL)));
	mq_close(must(mq_open("/bench-back", O_RDWR | O_CREAT | O_CLOEXEC, 0600, NULL)));
	ends_open_there(ends, bench_mount(ends->bench, "queues/bench-there"));
	ends_open_back(ends, bench_mount(ends->bench, "queues/bench-back"));
	ends_echo(ends);
}

static void native_local_close(struct ends *ends)
{
	mq_unlink("/bench-there");
	mq_unlink("/bench-back");
	native_close(ends);
}

/* --- publish --- */

static void native_publish(struct ends *ends, size_t n)
{
	nats_publish_each(cluster_of(ends)->nats, ends->buffer, ends->row->size, n);
}

static void native_local_open(struct ends *ends)
{
	open_local(ends);
	native_prompt_open(ends);
}

static void native_local_publish(struct ends *ends, size_t n)
{
	while (n--) {
		native_publish(ends, 1);
		work_round_trip(ends, 1);
	}
}

static void native_publish_window(struct ends *ends, size_t n)
{
	nats_publish_window(cluster_of(ends)->nats, ends->buffer, ends->row->size, n);
}

static void empty(struct ends *ends)
{
	nats_purge(cluster_of(ends)->nats);
}

static void write_messages(void *state, int member, size_t n)
{
	const struct cluster *cluster = state;
	const struct ends *ends = cluster->ends;

	while (n--)
		if (write(cluster->fds[member], ends->buffer, ends->row->size) !=
		    (ssize_t)ends->row->size)
			fail("%s: writing: %s", ends->row->work, strerror(errno));
}

static void ipcfs_publish_open(struct ends *ends)
{
	ipcfs_open(ends, O_WRONLY);
}

static void ipcfs_publish_window_open(struct ends *ends)
{
	struct cluster *cluster;

	ipcfs_open(ends, O_WRONLY);
	cluster = cluster_of(ends);
	cluster->team = team_new(NATS_WINDOW, write_messages, cluster);
}

static void ipcfs_publish(struct ends *ends, size_t n)
{
	write_messages(cluster_of(ends), 0, n);
}

static void team_do(struct ends *ends, size_t n)
{
	cluster_of(ends)->n_consumed += n;
	team_work(cluster_of(ends)->team, n);
}

/* --- consume --- */

static void restock(struct ends *ends)
{
	struct cluster *cluster = cluster_of(ends);

	nats_publish_window(cluster->nats, ends->buffer, ends->row->size, cluster->n_consumed);
	cluster->n_consumed = 0;
}

static void stock(struct ends *ends)
{
	cluster_of(ends)->n_consumed = STOCK;
	restock(ends);
}

static void native_consume_open(struct ends *ends)
{
	native_open(ends);
	stock(ends);
}

static void native_prompt_consume_open(struct ends *ends)
{
	native_prompt_open(ends);
	stock(ends);
}

static void native_consume(struct ends *ends, size_t n)
{
	cluster_of(ends)->n_consumed += n;
	nats_consume(cluster_of(ends)->nats, 1, n);
}

static void native_local_consume_open(struct ends *ends)
{
	open_local(ends);
	native_prompt_consume_open(ends);
}

static void native_local_consume(struct ends *ends, size_t n)
{
	while (n--) {
		native_consume(ends, 1);
		work_round_trip(ends, 1);
	}
}

static void native_consume_window(struct ends *ends, size_t n)
{
	cluster_of(ends)->n_consumed += n;
	nats_consume(cluster_of(ends)->nats, NATS_WINDOW, n);
}

static void read_messages(void *state, int member, size_t n)
{
	const struct cluster *cluster = state;
	const struct ends *ends = cluster->ends;
	char message[8192];

	while (n--)
		if (read(cluster->fds[member], message, sizeof(message)) !=
		    (ssize_t)ends->row->size)
			fail("%s: reading: %s", ends->row->work, strerror(errno));
}

static void ipcfs_consume_open(struct ends *ends)
{
	ipcfs_open(ends, O_RDONLY);
	stock(ends);
}

static void ipcfs_consume_window_open(struct ends *ends)
{
	struct cluster *cluster;

	ipcfs_consume_open(ends);
	cluster = cluster_of(ends);
	cluster->team = team_new(NATS_WINDOW, read_messages, cluster);
}

static void ipcfs_consume(struct ends *ends, size_t n)
{
	cluster_of(ends)->n_consumed += n;
	read_messages(cluster_of(ends), 0, n);
}

/* For what the daemon may add to libnats' time: a fifth, and a round trip of a local queue. */
#define SLOWER .bound = BOUND_TIME, .targets = {1.1, 1.1, 1.1}
/*
 * With everything on one CPU it is the server that decides, and it takes a millisecond for each
 * message of 4 KiB then, whoever consumes it.
 */
#define QUICKER .bound = BOUND_SPEED, .targets = {0, 0.8, 0.8}

#define ONE(native_side, ipcfs_side) \
	.unit = UNIT_MICROSECONDS, .n_max = STOCK, .sides = {native_side, ipcfs_side}
#define MANY(native_side, ipcfs_side) \
	.unit = UNIT_DELIVERIES, .n_readers = 1, .n_max = STOCK, .sides = {native_side, ipcfs_side}

#define NATIVE_PUBLISH                                                                      \
	{                                                                                   \
		"libnats", native_prompt_open, native_publish, empty, .close = native_close \
	}
#define NATIVE_LOCAL_PUBLISH                                                                  \
	{                                                                                     \
		"libnats, and a local queue", native_local_open, native_local_publish, empty, \
			.close = native_local_close                                           \
	}
#define NATIVE_PUBLISH_WINDOW                                                               \
	{                                                                                   \
		"libnats", native_open, native_publish_window, empty, .close = native_close \
	}
#define NATIVE_PUBLISH_PROMPT                                                          \
	{                                                                              \
		"libnats, SendAsap", native_prompt_open, native_publish_window, empty, \
			.close = native_close                                          \
	}
#define NATIVE_CONSUME                                                          \
	{                                                                       \
		"libnats", native_prompt_consume_open, native_consume, restock, \
			.close = native_close                                   \
	}
#define NATIVE_LOCAL_CONSUME                                                                   \
	{                                                                                      \
		"libnats, and a local queue", native_local_consume_open, native_local_consume, \
			restock, .close = native_local_close                                   \
	}
#define NATIVE_CONSUME_WINDOW                                                   \
	{                                                                       \
		"libnats", native_consume_open, native_consume_window, restock, \
			.close = native_close                                   \
	}
#define NATIVE_CONSUME_PROMPT                                                                    \
	{                                                                                        \
		"libnats, SendAsap", native_prompt_consume_open, native_consume_window, restock, \
			.close = native_close                                                    \
	}

#define PUBLISH                                                                         \
	{                                                                               \
		"ipcfs", ipcfs_publish_open, ipcfs_publish, empty, .close = ipcfs_close \
	}
#define PUBLISH_WINDOW                                                                   \
	{                                                                                \
		"ipcfs", ipcfs_publish_window_open, team_do, empty, .close = ipcfs_close \
	}
#define CONSUME                                                                           \
	{                                                                                 \
		"ipcfs", ipcfs_consume_open, ipcfs_consume, restock, .close = ipcfs_close \
	}
#define CONSUME_WINDOW                                                                     \
	{                                                                                  \
		"ipcfs", ipcfs_consume_window_open, team_do, restock, .close = ipcfs_close \
	}

static const struct row rows[] = {
	{"publish 64 B, 64 at a time", NULL, 64, QUICKER,
	 MANY(NATIVE_PUBLISH_WINDOW, PUBLISH_WINDOW)},
	{"publish 4 KiB, 64 at a time", NULL, 4096, QUICKER,
	 MANY(NATIVE_PUBLISH_WINDOW, PUBLISH_WINDOW)},
	{"publish 64 B, 64 at a time, sent at once", NULL, 64,
	 MANY(NATIVE_PUBLISH_PROMPT, PUBLISH_WINDOW)},
	{"publish 64 B", NULL, 64, ONE(NATIVE_PUBLISH, PUBLISH)},
	{"publish 4 KiB", NULL, 4096, ONE(NATIVE_PUBLISH, PUBLISH)},
	{"publish 64 B, with a local queue", NULL, 64, SLOWER, ONE(NATIVE_LOCAL_PUBLISH, PUBLISH)},
	{"publish 4 KiB, with a local queue", NULL, 4096, SLOWER,
	 ONE(NATIVE_LOCAL_PUBLISH, PUBLISH)},
	{"consume 64 B, 64 at a time", NULL, 64, QUICKER,
	 MANY(NATIVE_CONSUME_WINDOW, CONSUME_WINDOW)},
	{"consume 4 KiB, 64 at a time", NULL, 4096, QUICKER,
	 MANY(NATIVE_CONSUME_WINDOW, CONSUME_WINDOW)},
	{"consume 64 B, 64 at a time, sent at once", NULL, 64,
	 MANY(NATIVE_CONSUME_PROMPT, CONSUME_WINDOW)},
	{"consume 64 B", NULL, 64, ONE(NATIVE_CONSUME, CONSUME)},
	{"consume 4 KiB", NULL, 4096, ONE(NATIVE_CONSUME, CONSUME)},
	{"consume 64 B, with a local queue", NULL, 64, SLOWER, ONE(NATIVE_LOCAL_CONSUME, CONSUME)},
	{"consume 4 KiB, with a local queue", NULL, 4096, SLOWER,
	 ONE(NATIVE_LOCAL_CONSUME, CONSUME)},
	{.work = NULL},
};

const struct group cluster_group = {"cluster", "Queues of several machines", rows};
