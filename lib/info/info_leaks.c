// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An object that nothing more needs to be asked about is leaked as it is added.
 */
#include "lib/info/info_leaks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/host/configured.h"
#include "lib/host/job.h"
#include "lib/info/info_text.h"

/* In the order of their rows. */
struct info_leak {
	size_t row;
	bool is_open; /* a process has it open, or may have */
	struct disuse disuse;
};

void info_leaks_want(struct info_leaks *leaks, time_t idle)
{
	clock_gettime(CLOCK_REALTIME, &leaks->before);
	/* Who has just made an object may not have it open yet. */
	leaks->before.tv_sec -= idle > 0 ? idle : 1;
	leaks->is_wanted = true;
}

int info_leaks_ask(struct info_leaks *leaks, struct channel *channel, const char *name,
		   struct caller *reader)
{
	const struct space *space = channel->space;

	leaks->disuse = (struct disuse){0};
	if (!leaks->is_wanted || !space->kind ||
	    configured_has(space->host, space->kind->path, name))
		return 0;
	return channel_disuse(channel, &leaks->before, reader, &leaks->disuse);
}

static int grow_found(struct info_leaks *leaks, struct info_walk *walk)
{
	struct info_leak *grown =
		info_walk_grow(walk, leaks->found, leaks->n, &leaks->n_allocated, sizeof(*grown));

	if (!grown)
		return -errno;
	leaks->found = grown;
	return 0;
}

/* For bsearch(3). */
static int compare_users(const void *uid_, const void *user_)
{
	const struct processes_user *user = user_;
	uid_t uid = *(const uid_t *)uid_;

	return uid < user->uid ? -1 : uid > user->uid;
}

static const struct processes_user *find_user(const struct info_leaks *leaks, uid_t uid)
{
	return bsearch(&uid, leaks->users, leaks->n_users, sizeof(*leaks->users), compare_users);
}

static void add_user(struct info_leaks *leaks, uid_t uid)
{
	size_t at = leaks->n_users;

	if (leaks->n_users == INFO_LEAKS_USERS || find_user(leaks, uid))
		return;
	for (; at > 0 && leaks->users[at - 1].uid > uid; at--)
		leaks->users[at] = leaks->users[at - 1];
	leaks->users[at] = (struct processes_user){.uid = uid};
	leaks->n_users++;
}

/* A user for whom there is no room is never asked about: their processes may be of any age. */
static void add_owners(struct info_leaks *leaks)
{
	const struct disuse *disuse = &leaks->disuse;
	bool is_judged = true;

	for (size_t i = 0; i < DISUSE_OWNERS && disuse->asks_owners; i++) {
		add_user(leaks, disuse->owners[i]);
		is_judged &= find_user(leaks, disuse->owners[i]) != NULL;
	}
	leaks->n_unjudged += !is_judged;
}

int info_leaks_add(struct info_leaks *leaks, struct info_walk *walk, size_t row)
{
	int r = leaks->disuse.why ? grow_found(leaks, walk) : 0;

	if (r < 0 || !leaks->disuse.why)
		return r;
	add_owners(leaks);
	leaks->asks_receivers |= leaks->disuse.asks_receivers;
	leaks->found[leaks->n++] = (struct info_leak){.row = row, .disuse = leaks->disuse};
	return 0;
}

struct owners_look {
	struct processes_user users[INFO_LEAKS_USERS];
	long n, asks_receivers, supervisor;
	struct processes_receivers receivers; /* a result */
};

static int owners_act(void *data)
{
	struct owners_look *look = data;
	int r = processes_find_oldest(look->users, (size_t)look->n, (pid_t)look->supervisor);

	if (r == 0 && look->asks_receivers)
		r = processes_find_receivers(&look->receivers);
	return r;
}

/* The uids are what tells this call from another; `oldest` is the result, and 0 until then. */
static int ask_owners(struct info_leaks *leaks, struct host *host, struct caller *reader)
{
	struct owners_look look;
	int r;

	memset(&look, 0, sizeof(look)); /* job_run() compares all of it */
	for (size_t i = 0; i < leaks->n_users; i++)
		look.users[i].uid = leaks->users[i].uid;
	look.n = (long)leaks->n_users;
	look.asks_receivers = leaks->asks_receivers;
	look.supervisor = host->supervisor;
	r = job_run(host, reader,
		    &(struct job_call){.place = JOB_WORKER,
				       .act = owners_act,
				       .data = &look,
				       .size = sizeof(look)});
	if (r == 0) {
		memcpy(leaks->users, look.users, sizeof(leaks->users));
		leaks->receivers = look.receivers;
	}
	return r;
}

int info_leaks_settle(struct info_leaks *leaks, struct host *host, struct caller *reader)
{
	int r;

	if (!leaks->n_users || leaks->has_asked)
		return 0;
	r = ask_owners(leaks, host, reader);
	if (job_is_awaited(r))
		return r;
	leaks->has_asked = true; /* if that failed, all the ages are unknown */
	return 0;
}

/*
 * Whether that process may have used the object. The clock was set since if the object is older
 * than the machine has been up: then no ages can be compared.
 */
static bool may_use(const struct processes_user *user, const struct disuse *disuse, time_t boot)
{
	time_t last = disuse->since.tv_sec;

	return user->oldest != PROCESSES_NONE &&
	       (disuse->is_any_age || last < boot || user->oldest <= last + PROCESSES_SLACK);
}

/* Whether a process may be there that leaves no other trace: of the owners, or a receiver. */
static bool may_have_user(const struct info_leaks *leaks, const struct disuse *disuse)
{
	for (size_t i = 0; i < DISUSE_OWNERS && disuse->asks_owners; i++) {
		const struct processes_user *user = find_user(leaks, disuse->owners[i]);

		if (!user || may_use(user, disuse, processes_find_boot()))
			return true;
	}
	return disuse->asks_receivers && (leaks->receivers.are_there || !leaks->receivers.can_tell);
}

/* For bsearch(3). */
static int compare_rows(const void *row, const void *leak_)
{
	const struct info_leak *leak = leak_;

	return *(const size_t *)row < leak->row ? -1 : *(const size_t *)row > leak->row;
}

static void find_open(struct info_leaks *leaks, const struct info_users *users)
{
	struct peers found = info_users_found(users);
	bool is_certain = info_users_are_all(users);

	for (size_t i = 0; i < leaks->n; i++)
		leaks->found[i].is_open = leaks->found[i].disuse.needs_scan && !is_certain;
	for (size_t i = 0; leaks->n && i < found.n_peers; i++) {
		struct info_leak *leak =
			bsearch(&users->used[found.peers[i].target].row, leaks->found, leaks->n,
				sizeof(*leak), compare_rows);

		if (leak)
			leak->is_open = true;
	}
}

void info_leaks_fill(struct info_leaks *leaks, const struct info_users *users, struct row *rows)
{
	find_open(leaks, users);
	for (size_t i = 0; i < leaks->n; i++) {
		const struct info_leak *leak = &leaks->found[i];

		if (leak->is_open || may_have_user(leaks, &leak->disuse))
			continue;
		row_add_word(&rows[leak->row], "leaked", leak->disuse.why);
		row_add_time(&rows[leak->row], "idle-since", &leak->disuse.since);
	}
}

void info_leaks_fini(struct info_leaks *leaks)
{
	free(leaks->found);
}
