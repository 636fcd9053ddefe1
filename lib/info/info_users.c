// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One scan for all objects together. For the sake of counting, FIFOs that nobody can have open need
 * none.
 */
#include "lib/info/info_users.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/channel/channel.h"
#include "lib/host/job.h"
#include "lib/host/namespaces.h"
#include "lib/info/info_text.h"

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

static int users_grow(struct info_users *users, struct info_walk *walk)
{
	size_t n = users->n_allocated + 16;
	struct peer_target *targets;
	struct info_used *used;
	int r;

	if (users->n < users->n_allocated)
		return 0;
	r = info_walk_charge(walk, n * (sizeof(*targets) + sizeof(*used)));
	if (r < 0)
		return r;
	n += users->n_allocated;
	targets = reallocarray(users->targets, n, sizeof(*targets));
	if (!targets)
		return -ENOMEM;
	users->targets = targets;
	used = reallocarray(users->used, n, sizeof(*used));
	if (!used)
		return -ENOMEM;
	users->used = used;
	users->n_allocated = n;
	return 0;
}

int info_users_aim(struct info_users *users, struct channel *channel, bool is_wanted,
		   struct caller *reader)
{
	int r;

	if (users->has_target || !(is_wanted || users->is_for_all || info_is_fifo(channel)))
		return 0;
	r = info_target(channel, reader, &users->target);
	users->has_target = r == 0;
	return r;
}

int info_users_add(struct info_users *users, struct info_walk *walk, struct channel *channel,
		   size_t row, bool is_wanted)
{
	bool is_counted = info_is_fifo(channel) && !is_idle(channel);
	int r;

	if (!is_wanted && !is_counted && !users->is_for_all)
		return 0;
	r = users_grow(users, walk);
	if (r < 0)
		return r;
	users->targets[users->n] = users->target;
	users->used[users->n++] = (struct info_used){row, is_counted};
	return 0;
}

int info_users_look(struct info_users *users, struct scanner *scanner, struct caller *reader)
{
	int r = 0;

	if (users->n == 0 || users->error < 0)
		return 0;
	if (!users->scan)
		r = scan_new(scanner, reader, users->targets, users->n, &users->scan);
	if (r == 0)
		r = scan_step(users->scan, reader->waiter);
	if (job_is_awaited(r))
		return r;
	users->error = r;
	return 0;
}

struct peers info_users_found(const struct info_users *users)
{
	return users->scan && users->error == 0 ? scan_result(users->scan) : (struct peers){0};
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

bool info_users_are_all(const struct info_users *users)
{
	struct peers found = info_users_found(users);

	return users->scan && users->error == 0 && found.n_unseen + found.n_hidden == 0 &&
	       namespaces_see_all();
}

void info_users_fill(const struct info_users *users, struct row *rows)
{
	struct peers found = info_users_found(users);
	unsigned n_unseen = count_unseen(&found);

	for (size_t i = 0; i < found.n_peers; i++) {
		const struct info_used *used = &users->used[found.peers[i].target];

		if (used->is_counted && (found.peers[i].access & PEER_READS))
			count(&rows[used->row], "readers");
		if (used->is_counted && (found.peers[i].access & PEER_WRITES))
			count(&rows[used->row], "writers");
	}
	for (size_t i = 0; i < users->n && (users->error < 0 || n_unseen); i++) {
		struct row *row = &rows[users->used[i].row];

		if (!users->used[i].is_counted)
			continue;
		if (users->error < 0 || row->is_brief)
			leave_out(row);
		else
			row_add_number(row, "unseen", n_unseen);
	}
}

void info_users_fini(struct info_users *users)
{
	scan_free(users->scan);
	free(users->targets);
	free(users->used);
}
