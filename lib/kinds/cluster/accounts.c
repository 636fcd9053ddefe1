// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is known of accounts, and who waits for more.
 *
 * Entries come from other machines, so there may be any number of names, and most of them may be
 * unknown here. So only some names are remembered, only some are read from the local files on the
 * loop in a second, and only a few threads ask name services: if one hangs, these hang, and other
 * names wait behind them.
 */
#include "lib/kinds/cluster/accounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>
#include <uthash.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"
#include "lib/base/workers.h"
#include "lib/kinds/cluster/accounts_find.h"

/* How long an answer counts, and how long a failure. */
#define REMEMBER (5 * 60 * CLOCK_S)
#define SUFFER   (20 * CLOCK_S)
/* How long it is worth waiting for a name. */
#define PATIENCE (300 * CLOCK_MS)

#define NAMES_MOST 4096 /* that are remembered */
#define ASKED_MOST 8    /* threads that ask name services */

/* A name that an entry has. */
struct known_name {
	char key[1 + ACCOUNTS_NAME_SIZE]; /* 'u' or 'g', and the name */
	uint32_t id;
	bool is_answered;
	int64_t asked, used, until;     /* as clock_now(); until when the answer counts */
	struct accounts_lookup *lookup; /* NULL: none is under way */
	UT_hash_handle hh;              /* accounts::names, by key */
};

struct accounts {
	struct host *host;
	struct loop_task *answered; /* borrowed */
	struct known_name *names;
	int64_t swept; /* when old names were last dropped */
	struct accounts_reads reads;
	struct accounts_lookup *running, *queued;
	unsigned n_running;
};

/* What a thread asks. It outlives its accounts if a name service hangs. */
struct accounts_lookup {
	struct worker_task task;
	struct host *host;
	struct accounts *accounts; /* NULL: freed meanwhile */
	/* Who wants to know: one of these; NULL: nobody any more. */
	struct known_name *name;
	struct accounts_ask *ask;
	/* Of a name: in `owner`, answered by `id`. Of an ask: both ids, answered by both names. */
	bool is_by_name, is_running;
	enum account_sort sort;
	uint32_t id, gid;
	char owner[ACCOUNTS_NAME_SIZE], group[ACCOUNTS_NAME_SIZE];
	int result;
	struct accounts_lookup *prev, *next; /* accounts::running or queued */
};

int accounts_new(struct host *host, struct loop_task *answered, struct accounts **ret_accounts)
{
	struct accounts *accounts = calloc(1, sizeof(*accounts));

	if (!accounts)
		return -ENOMEM;
	accounts->host = host;
	accounts->answered = answered;
	*ret_accounts = accounts;
	return 0;
}

/* Names. */

static void name_key(enum account_sort sort, const char *name, char ret_key[1 + ACCOUNTS_NAME_SIZE])
{
	snprintf(ret_key, 1 + ACCOUNTS_NAME_SIZE, "%c%s", sort == ACCOUNT_USER ? 'u' : 'g', name);
}

static struct known_name *name_find(const struct accounts *accounts, enum account_sort sort,
				    const char *name)
{
	char key[1 + ACCOUNTS_NAME_SIZE];
	struct known_name *known;

	name_key(sort, name, key);
	HASH_FIND_STR(accounts->names, key, known);
	return known;
}

/* Makes room by dropping names that nothing has used for long. */
static void names_sweep(struct accounts *accounts, int64_t now)
{
	struct known_name *known, *next;

	if (now < accounts->swept + SUFFER)
		return;
	accounts->swept = now;
	HASH_ITER(hh, accounts->names, known, next) {
		if (known->lookup || now < known->used + 2 * REMEMBER)
			continue;
		HASH_DEL(accounts->names, known);
		free(known);
	}
}

/* Returns NULL if there is no room. */
static struct known_name *name_get(struct accounts *accounts, enum account_sort sort,
				   const char *name)
{
	struct known_name *known = name_find(accounts, sort, name);

	if (known)
		return known;
	if (HASH_COUNT(accounts->names) >= NAMES_MOST)
		names_sweep(accounts, clock_now());
	if (HASH_COUNT(accounts->names) >= NAMES_MOST)
		return NULL;
	known = calloc(1, sizeof(*known));
	if (!known)
		return NULL;
	name_key(sort, name, known->key);
	known->id = ACCOUNTS_UNKNOWN;
	HASH_ADD_STR(accounts->names, key, known);
	if (!known->hh.tbl) {
		free(known);
		return NULL;
	}
	return known;
}

static void name_set(struct known_name *known, uint32_t id)
{
	known->id = id;
	known->is_answered = true;
	known->until = clock_now() + REMEMBER;
}

/* An account that can't be asked for stays what it was, for a while. */
static void name_fail(struct known_name *known)
{
	known->is_answered = true;
	known->until = clock_now() + SUFFER;
}

/* Remembers what somebody has asked the other way round. */
static void name_learn(struct accounts *accounts, enum account_sort sort, const char *name,
		       uint32_t id)
{
	struct known_name *known = name_get(accounts, sort, name);

	if (known)
		name_set(known, id);
}

/* Lookups. */

static void lookup_work(struct worker_task *task)
{
	struct accounts_lookup *lookup = CONTAINER_OF(task, struct accounts_lookup, task);

	if (lookup->is_by_name) {
		lookup->result = accounts_find_id(lookup->sort, lookup->owner, &lookup->id);
		return;
	}
	lookup->result = accounts_find_name(ACCOUNT_USER, lookup->id, lookup->owner);
	if (lookup->result == 0)
		lookup->result = accounts_find_name(ACCOUNT_GROUP, lookup->gid, lookup->group);
}

static void lookup_answer_name(struct accounts_lookup *lookup, int result)
{
	struct known_name *known = lookup->name;

	known->lookup = NULL;
	if (result == 0 || result == -ENOENT)
		name_set(known, result == 0 ? lookup->id : ACCOUNTS_UNKNOWN);
	else
		name_fail(known);
	if (lookup->accounts->answered)
		loop_defer(lookup->host->loop, lookup->accounts->answered);
}

static void lookup_answer_ask(struct accounts_lookup *lookup, int result)
{
	struct accounts_ask *ask = lookup->ask;

	ask->lookup = NULL;
	if (result == 0) {
		strcpy(ask->owner, lookup->owner);
		strcpy(ask->group, lookup->group);
		name_learn(lookup->accounts, ACCOUNT_USER, lookup->owner, lookup->id);
		name_learn(lookup->accounts, ACCOUNT_GROUP, lookup->group, lookup->gid);
	}
	ask->named(ask, result);
}

/* Tells whoever wants to know, and frees the lookup, which is in no list. */
static void lookup_end(struct accounts_lookup *lookup, int result)
{
	if (lookup->name)
		lookup_answer_name(lookup, result);
	else if (lookup->ask)
		lookup_answer_ask(lookup, result);
	free(lookup);
}

static int lookup_start(struct accounts_lookup *lookup)
{
	struct accounts *accounts = lookup->accounts;
	int r = host_lock(accounts->host, 0, &lookup->task);

	if (r < 0)
		return r;
	lookup->is_running = true;
	DL_APPEND(accounts->running, lookup);
	accounts->n_running++;
	return 0;
}

/* Starts the next that waits. What can't be started ends; its owner may ask again meanwhile. */
static void lookup_next(struct accounts *accounts)
{
	while (accounts->queued && accounts->n_running < ASKED_MOST) {
		struct accounts_lookup *lookup = accounts->queued;
		int r;

		DL_DELETE(accounts->queued, lookup);
		r = lookup_start(lookup);
		if (r < 0)
			lookup_end(lookup, r);
	}
}

static void lookup_done(struct worker_task *task)
{
	struct accounts_lookup *lookup = CONTAINER_OF(task, struct accounts_lookup, task);
	struct accounts *accounts = lookup->accounts;

	host_locked(lookup->host, 0);
	if (!accounts) {
		free(lookup);
		return;
	}
	DL_DELETE(accounts->running, lookup);
	accounts->n_running--;
	lookup_next(accounts);
	lookup_end(lookup, lookup->result);
}

static struct accounts_lookup *lookup_new(struct accounts *accounts)
{
	struct accounts_lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup)
		return NULL;
	lookup->host = accounts->host;
	lookup->accounts = accounts;
	lookup->task = (struct worker_task){.work = lookup_work, .done = lookup_done};
	return lookup;
}

/* Starts or queues it. Fails with -ENOBUFS, and then frees it. */
static int lookup_begin(struct accounts_lookup *lookup)
{
	struct accounts *accounts = lookup->accounts;
	int r = 0;

	if (accounts->n_running < ASKED_MOST)
		r = lookup_start(lookup);
	else
		DL_APPEND(accounts->queued, lookup);
	if (r < 0)
		free(lookup);
	return r;
}

/* Calls. */

static void name_ask(struct accounts *accounts, struct known_name *known, int64_t now)
{
	enum account_sort sort = known->key[0] == 'u' ? ACCOUNT_USER : ACCOUNT_GROUP;
	struct accounts_lookup *lookup;
	uint32_t id;

	known->asked = now;
	if (accounts_may_read(&accounts->reads, now) &&
	    accounts_here_by_name(sort, known->key + 1, &id)) {
		name_set(known, id);
		return;
	}
	lookup = lookup_new(accounts);
	if (lookup) {
		lookup->is_by_name = true;
		lookup->sort = sort;
		strcpy(lookup->owner, known->key + 1);
		lookup->name = known;
	}
	if (lookup && lookup_begin(lookup) == 0)
		known->lookup = lookup;
	else
		name_fail(known);
}

uint32_t accounts_id(struct accounts *accounts, enum account_sort sort, const char *name)
{
	int64_t now = clock_now();
	struct known_name *known;

	if (strcmp(name, "root") == 0)
		return 0;
	known = *name && strlen(name) < ACCOUNTS_NAME_SIZE ? name_get(accounts, sort, name) : NULL;
	if (!known)
		return ACCOUNTS_UNKNOWN;
	known->used = now;
	if (!known->lookup && known->until <= now)
		name_ask(accounts, known, now);
	return known->id;
}

int64_t accounts_await(struct accounts *accounts, enum account_sort sort, const char *name)
{
	const struct known_name *known = name_find(accounts, sort, name);

	return known && known->lookup && !known->is_answered ? known->asked + PATIENCE : 0;
}

int accounts_ask(struct accounts *accounts, struct accounts_ask *ask, uid_t uid, gid_t gid)
{
	struct accounts_lookup *lookup;
	int r;

	ask->lookup = NULL;
	if (accounts_here_by_id(ACCOUNT_USER, uid, ask->owner) &&
	    accounts_here_by_id(ACCOUNT_GROUP, gid, ask->group))
		return 0;
	lookup = lookup_new(accounts);
	if (!lookup)
		return -ENOMEM;
	lookup->id = uid;
	lookup->gid = gid;
	lookup->ask = ask;
	r = lookup_begin(lookup);
	if (r < 0)
		return r;
	ask->lookup = lookup;
	return -EINPROGRESS;
}

/* While a name service hangs, what nobody waits for must not pile up behind it. */
void accounts_forget(struct accounts_ask *ask)
{
	struct accounts_lookup *lookup = TAKE_PTR(ask->lookup);

	if (!lookup)
		return;
	lookup->ask = NULL;
	if (lookup->is_running)
		return;
	DL_DELETE(lookup->accounts->queued, lookup);
	free(lookup);
}

void accounts_free(struct accounts *accounts)
{
	struct accounts_lookup *lookup, *next_lookup;
	struct known_name *known, *next;

	if (!accounts)
		return;
	DL_FOREACH_SAFE(accounts->running, lookup, next_lookup) {
		if (lookup->ask)
			lookup->ask->lookup = NULL;
		lookup->ask = NULL;
		lookup->name = NULL;
		lookup->accounts = NULL;
	}
	DL_FOREACH_SAFE(accounts->queued, lookup, next_lookup) {
		if (lookup->ask)
			lookup->ask->lookup = NULL;
		free(lookup);
	}
	HASH_ITER(hh, accounts->names, known, next) {
		HASH_DEL(accounts->names, known);
		free(known);
	}
	free(accounts);
}
