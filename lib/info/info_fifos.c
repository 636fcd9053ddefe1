// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One scan counts the readers and writers of all FIFOs, except those that nobody can have open.
 */
#include "lib/info/info_fifos.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/channel/channel.h"
#include "lib/host/job.h"

bool info_is_fifo(const struct channel *channel)
{
	struct stat attr;

	return channel->service == CHANNEL_NODE &&
	       channel_stat((struct channel *)channel, &attr) == 0 && S_ISFIFO(attr.st_mode);
}

/*
 * The FIFO's name has one reference, and this walk the other. If there are no more, the kernel has
 * forgotten the FIFO, and so nobody has it open.
 */
static bool is_idle(const struct channel *channel)
{
	return channel->n_refs <= 2;
}

static int fifos_grow(struct info_fifos *fifos, struct info_walk *walk)
{
	size_t n = fifos->n_allocated + 16;
	struct peer_target *targets;
	size_t *rows;
	int r;

	if (fifos->n < fifos->n_allocated)
		return 0;
	r = info_walk_charge(walk, n * (sizeof(*targets) + sizeof(*rows)));
	if (r < 0)
		return r;
	n += fifos->n_allocated;
	targets = reallocarray(fifos->targets, n, sizeof(*targets));
	if (!targets)
		return -ENOMEM;
	fifos->targets = targets;
	rows = reallocarray(fifos->rows, n, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	fifos->rows = rows;
	fifos->n_allocated = n;
	return 0;
}

int info_fifos_add(struct info_fifos *fifos, struct info_walk *walk, struct channel *channel,
		   size_t row)
{
	struct stat attr;
	int r = info_is_fifo(channel) && !is_idle(channel) ? fifos_grow(fifos, walk) : -ENOENT;

	if (r == 0)
		r = channel_stat(channel, &attr);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	fifos->targets[fifos->n] = (struct peer_target){
		.shown_dev = channel->space->host->dev,
		.shown_ino = space_ino(channel->space, attr.st_ino),
		.has_no_maps = true,
	};
	fifos->rows[fifos->n++] = row;
	return 0;
}

int info_fifos_count(struct info_fifos *fifos, struct scanner *scanner, struct caller *reader)
{
	int r = 0;

	if (fifos->n == 0 || fifos->has_failed)
		return 0;
	if (!fifos->scan)
		r = scan_new(scanner, reader, fifos->targets, fifos->n, &fifos->scan);
	if (r == 0)
		r = scan_step(fifos->scan, reader->waiter);
	if (job_is_awaited(r))
		return r;
	fifos->has_failed = r < 0;
	return 0;
}

static void count(struct row *row, const char *key)
{
	row_set_number(row, key, row_find(row, key)->number + 1);
}

static void leave_out(struct row *row)
{
	row_remove(row, "readers");
	row_remove(row, "writers");
}

/*
 * A daemon that is not root may not look at the processes of other users. But then they may not
 * look at its mount either.
 */
static unsigned count_unseen(const struct peers *found)
{
	return found->n_unseen + (geteuid() == 0 ? found->n_hidden : 0);
}

void info_fifos_fill(const struct info_fifos *fifos, struct row *rows)
{
	struct peers found = {0};
	unsigned n_unseen = 0;

	if (fifos->n > 0 && !fifos->has_failed) {
		found = scan_result(fifos->scan);
		n_unseen = count_unseen(&found);
	}
	for (size_t i = 0; i < found.n_peers; i++) {
		struct row *row = &rows[fifos->rows[found.peers[i].target]];

		if (found.peers[i].access & PEER_READS)
			count(row, "readers");
		if (found.peers[i].access & PEER_WRITES)
			count(row, "writers");
	}
	for (size_t i = 0; i < fifos->n && (fifos->has_failed || n_unseen); i++) {
		struct row *row = &rows[fifos->rows[i]];

		if (fifos->has_failed || row->is_brief)
			leave_out(row);
		else
			row_add_number(row, "unseen", n_unseen);
	}
}

void info_fifos_fini(struct info_fifos *fifos)
{
	scan_free(fifos->scan);
	free(fifos->targets);
	free(fifos->rows);
}
