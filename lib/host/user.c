// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A limit for each user alone would let many users together take everything. So where a total is
 * known, a user may have no more than what is left for all others.
 */
#include "lib/host/user.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

static const int errors[USER_N_CHARGES] = {
	[USER_CHANNELS] = EMFILE, [USER_FILES] = ENFILE,   [USER_HELD] = ENOBUFS,
	[USER_BYTES] = ENOBUFS,   [USER_STORED] = ENOBUFS, [USER_DESCRIPTORS] = ENFILE,
	[USER_SCANS] = ENOBUFS,   [USER_SLEEPS] = ENOBUFS, [USER_NAMES] = ENOBUFS,
	[USER_WATCHES] = ENFILE,  [USER_LOCKS] = ENOBUFS,  [USER_LOCKED] = ENOLCK,
};

/* A message takes several of these calls, all for one user. */
static struct user *user_find(struct user_table *table, uid_t uid)
{
	struct user *user = table->latest;

	if (user && user->uid == uid)
		return user;
	HASH_FIND(hh, table->users, &uid, sizeof(uid), user);
	table->latest = user;
	return user;
}

static struct user *user_new(struct user_table *table, uid_t uid)
{
	struct user *user = calloc(1, sizeof(*user));

	if (!user)
		return NULL;
	user->uid = uid;
	HASH_ADD(hh, table->users, uid, sizeof(user->uid), user);
	if (!user->hh.tbl) {
		free(user);
		return NULL;
	}
	return user;
}

/* Whether what is left for all other users would be at least as much as this user then has. */
static bool is_fair(const struct user_table *table, uid_t uid, enum user_charge what, size_t theirs)
{
	size_t total = table->totals[what] + (uid == 0 ? table->reserves[what] : 0);

	return !table->totals[what] ||
	       (table->taken[what] <= total && theirs <= total - table->taken[what]);
}

bool user_has_room(struct user_table *table, uid_t uid, enum user_charge what, size_t n)
{
	size_t limit = table->limits[what], charged = user_charged(table, uid, what);

	return n <= limit && charged <= limit - n && is_fair(table, uid, what, charged + n);
}

int user_charge(struct user_table *table, uid_t uid, enum user_charge what, size_t n)
{
	struct user *user = user_find(table, uid);

	if (n == 0)
		return 0;
	if (!table->is_adopting && !user_has_room(table, uid, what, n))
		return -errors[what];
	if (!user)
		user = user_new(table, uid);
	if (!user)
		return -ENOMEM;
	user->charged[what] += n;
	table->taken[what] += n;
	return 0;
}

void user_uncharge(struct user_table *table, uid_t uid, enum user_charge what, size_t n)
{
	struct user *user;

	if (n == 0)
		return;
	user = user_find(table, uid);
	assert(user && user->charged[what] >= n);
	user->charged[what] -= n;
	table->taken[what] -= n;
	for (int i = 0; i < USER_N_CHARGES; i++)
		if (user->charged[i])
			return;
	table->latest = NULL;
	HASH_DEL(table->users, user);
	free(user);
}

size_t user_charged(struct user_table *table, uid_t uid, enum user_charge what)
{
	struct user *user = user_find(table, uid);

	return user ? user->charged[what] : 0;
}
