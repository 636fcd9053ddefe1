// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Every lookup of a name service counts as the same call (job_call::is_single): while one hangs, no
 * other is begun, so a dead network costs the daemon a thread or two, and readers no time. Answers
 * are remembered for a while, also those that nobody waits for any more.
 */
#include "lib/host/account_names.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/host/job.h"

/* How long all names of a table together may take, and how long an answer is remembered. */
#define PATIENCE (150 * CLOCK_MS)
#define REMEMBER (30 * CLOCK_S)

#define ENTRY_MAX 65536 /* size of a group with its members, bytes */

struct account_memory {
	struct {
		struct account account;
		int64_t until; /* CLOCK_MONOTONIC */
	} known[ACCOUNT_NAMES_MOST];
	size_t n;
};

static int compare(const void *a_, const void *b_)
{
	const struct account *a = a_, *b = b_;

	if (a->sort != b->sort)
		return a->sort < b->sort ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

static struct account *table_find(const struct account_table *table, enum account_sort sort,
				  uint32_t id)
{
	const struct account wanted = {.sort = sort, .id = id};

	return bsearch(&wanted, table->accounts, table->n, sizeof(wanted), compare);
}

void account_names_add(struct account_names *names, enum account_sort sort, uint32_t id)
{
	struct account_table *table = &names->table;
	struct account *place = table->accounts + table->n;
	struct account added = {.sort = sort, .id = id};

	if (table->n == ACCOUNT_NAMES_MOST || table_find(table, sort, id))
		return;
	while (place > table->accounts && compare(place - 1, &added) > 0) {
		place[0] = place[-1];
		place--;
	}
	*place = added;
	table->n++;
}

const char *account_names_get(const struct account_names *names, enum account_sort sort,
			      uint32_t id)
{
	const struct account *account = table_find(&names->table, sort, id);

	return account && *account->name ? account->name : NULL;
}

/* Gives an account its name, unless it has one: the first entry in a file counts. */
static void set_name(struct account *account, const char *name)
{
	if (account && !*account->name && strlen(name) < sizeof(account->name))
		strcpy(account->name, name);
}

/* The local files, on a worker. */

static void read_users(struct account_table *table, char *buffer)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd entry, *found;

	while (file && fgetpwent_r(file, &entry, buffer, ENTRY_MAX, &found) == 0)
		set_name(table_find(table, ACCOUNT_USER, entry.pw_uid), entry.pw_name);
	if (file)
		fclose(file);
}

static void read_groups(struct account_table *table, char *buffer)
{
	FILE *file = fopen("/etc/group", "re");
	struct group entry, *found;

	while (file && fgetgrent_r(file, &entry, buffer, ENTRY_MAX, &found) == 0)
		set_name(table_find(table, ACCOUNT_GROUP, entry.gr_gid), entry.gr_name);
	if (file)
		fclose(file);
}

static int files_read(void *data)
{
	char buffer[ENTRY_MAX];

	read_users(data, buffer);
	read_groups(data, buffer);
	return 0;
}

/* What name services have answered. */

/* Returns the last answer for the account, if it is valid after `time`; NULL: there is none. */
static const struct account *recall(const struct host *host, const struct account *wanted,
				    int64_t time)
{
	const struct account_memory *memory = host->account_memory;
	const struct account *found = NULL;

	for (size_t i = 0; memory && i < ACCOUNT_NAMES_MOST; i++) {
		if (memory->known[i].until <= time ||
		    compare(&memory->known[i].account, wanted) != 0)
			continue;
		time = memory->known[i].until;
		found = &memory->known[i].account;
	}
	return found;
}

/*
 * Takes old answers for what nobody has answered in time: in metrics, an owner whose name comes and
 * goes would be two.
 */
static void recall_old(const struct host *host, struct account_table *table)
{
	for (size_t i = 0; i < table->n; i++) {
		struct account *account = &table->accounts[i];
		const struct account *old = *account->name ? NULL : recall(host, account, 0);

		if (old)
			*account = *old;
	}
}

static void remember(struct host *host, const struct account *account)
{
	struct account_memory *memory = host->account_memory;

	if (!memory)
		memory = host->account_memory = calloc(1, sizeof(*memory));
	if (!memory)
		return;
	memory->known[memory->n].account = *account;
	memory->known[memory->n].until = clock_now() + REMEMBER;
	memory->n = (memory->n + 1) % ACCOUNT_NAMES_MOST;
}

/* Asks the name services, on a thread that may sleep. */

static int ask(void *data)
{
	struct account *account = data;
	char buffer[ENTRY_MAX];
	struct passwd user, *found_user = NULL;
	struct group group, *found_group = NULL;

	if (account->sort == ACCOUNT_USER)
		getpwuid_r(account->id, &user, buffer, sizeof(buffer), &found_user);
	else
		getgrgid_r(account->id, &group, buffer, sizeof(buffer), &found_group);
	if (found_user)
		set_name(account, found_user->pw_name);
	if (found_group)
		set_name(account, found_group->gr_name);
	return 0;
}

/* The table has done without this answer. */
static void answered_late(struct host *host, struct caller *caller, void *data)
{
	remember(host, data);
}

static int ask_for(struct account_names *names, struct account *account, struct host *host,
		   struct caller *caller)
{
	bool is_under_way = caller->waiter && caller->waiter->job;
	const struct account *known = is_under_way ? NULL : recall(host, account, clock_now());
	struct job_call call = {.place = JOB_ALONE,
				.most = names->end - clock_now(),
				.is_single = true,
				.act = ask,
				.data = &names->asked,
				.size = sizeof(names->asked),
				.n_key = sizeof(names->asked.sort),
				.undo = answered_late};
	int r;

	/* A job that is under way asks for this account, and its result has to be taken. */
	if (known) {
		*account = *known;
		return 0;
	}
	if (call.most <= 0 && !is_under_way)
		return -ETIMEDOUT;
	names->asked = *account;
	r = job_run(host, caller, &call);
	if (r < 0)
		return r;
	*account = names->asked;
	remember(host, account);
	return 0;
}

int account_names_find(struct account_names *names, struct host *host, struct caller *caller)
{
	struct account_table *table = &names->table;
	int r = 0;

	if (names->end == 0) {
		const struct job_call call = {.place = JOB_WORKER,
					      .act = files_read,
					      .data = table,
					      .size = sizeof(*table)};

		r = job_run(host, caller, &call);
		if (job_is_awaited(r))
			return r;
		names->end = clock_now() + PATIENCE;
	}
	for (r = 0; r == 0 && names->next < table->n; names->next += r == 0) {
		struct account *account = &table->accounts[names->next];

		r = *account->name ? 0 : ask_for(names, account, host, caller);
	}
	if (job_is_awaited(r))
		return r;
	if (r < 0)
		recall_old(host, table);
	names->next = table->n;
	return 0;
}
