// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The answers of name services, and names for accounts that have none.
 *
 * Such an account is named by its number, and that name leads back to the number only where the
 * number has no name and the name no other account: `4242` made by a nameless user here is nobody's
 * on a machine where user 4242 is alice.
 */
#include "lib/kinds/cluster/accounts_find.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"
#include "lib/base/clock.h"

#define READS_MOST 64                /* in a second */
#define ENTRY_MAX  ((size_t)1 << 20) /* size of a group with its members, bytes */

bool accounts_here_by_name(enum account_sort sort, const char *name, uint32_t *ret_id)
{
	bool is_user = sort == ACCOUNT_USER;
	FILE *file = fopen(is_user ? "/etc/passwd" : "/etc/group", "re");
	struct passwd *user = NULL;
	struct group *group = NULL;

	if (!file)
		return false;
	if (is_user)
		while ((user = fgetpwent(file)) && strcmp(user->pw_name, name) != 0)
			continue;
	else
		while ((group = fgetgrent(file)) && strcmp(group->gr_name, name) != 0)
			continue;
	fclose(file);
	if (user)
		*ret_id = user->pw_uid;
	if (group)
		*ret_id = group->gr_gid;
	return user || group;
}

/* Copies a name. Returns false if it is too long, or there is none. */
static bool take_name(const char *name, char ret_name[static ACCOUNTS_NAME_SIZE])
{
	if (!name || !*name || strlen(name) >= ACCOUNTS_NAME_SIZE)
		return false;
	strcpy(ret_name, name);
	return true;
}

bool accounts_here_by_id(enum account_sort sort, uint32_t id,
			 char ret_name[static ACCOUNTS_NAME_SIZE])
{
	bool is_user = sort == ACCOUNT_USER;
	FILE *file;
	struct passwd *user = NULL;
	struct group *group = NULL;
	bool is_taken;

	if (id == 0)
		return take_name("root", ret_name);
	file = fopen(is_user ? "/etc/passwd" : "/etc/group", "re");
	if (!file)
		return false;
	if (is_user)
		while ((user = fgetpwent(file)) && user->pw_uid != id)
			continue;
	else
		while ((group = fgetgrent(file)) && group->gr_gid != id)
			continue;
	is_taken = take_name(user ? user->pw_name : group ? group->gr_name : NULL, ret_name);
	fclose(file);
	return is_taken;
}

/* What getpwnam(3) calls "not found" may come as any of these errors. */
static int find_error(int error)
{
	switch (error) {
	case 0:
	case ENOENT:
	case ESRCH:
	case EBADF:
	case EPERM:
		return -ENOENT;
	default:
		return -EIO;
	}
}

static int ask_by_name(enum account_sort sort, const char *name, uint32_t *ret_id)
{
	CLEANUP_FREE char *buffer = malloc(ENTRY_MAX);
	struct passwd user, *found_user = NULL;
	struct group group, *found_group = NULL;
	int r;

	if (!buffer)
		return -ENOMEM;
	r = sort == ACCOUNT_USER ? getpwnam_r(name, &user, buffer, ENTRY_MAX, &found_user)
				 : getgrnam_r(name, &group, buffer, ENTRY_MAX, &found_group);
	if (!found_user && !found_group)
		return find_error(r);
	*ret_id = found_user ? user.pw_uid : group.gr_gid;
	return 0;
}

static int ask_by_id(enum account_sort sort, uint32_t id, char ret_name[static ACCOUNTS_NAME_SIZE])
{
	CLEANUP_FREE char *buffer = malloc(ENTRY_MAX);
	struct passwd user, *found_user = NULL;
	struct group group, *found_group = NULL;
	int r;

	if (!buffer)
		return -ENOMEM;
	r = sort == ACCOUNT_USER ? getpwuid_r(id, &user, buffer, ENTRY_MAX, &found_user)
				 : getgrgid_r(id, &group, buffer, ENTRY_MAX, &found_group);
	if (!found_user && !found_group)
		return find_error(r);
	return take_name(found_user ? user.pw_name : group.gr_name, ret_name) ? 0 : -ENAMETOOLONG;
}

/* Reads a name that is a number, written as we write it. */
static bool is_number(const char *name, uint32_t *ret_id)
{
	unsigned long value = 0;
	char text[ACCOUNTS_NAME_SIZE];

	if (!*name || strlen(name) > 10 || strspn(name, "0123456789") != strlen(name))
		return false;
	value = strtoul(name, NULL, 10);
	snprintf(text, sizeof(text), "%lu", value);
	if (value == 0 || value >= UINT32_MAX || strcmp(text, name) != 0)
		return false;
	*ret_id = (uint32_t)value;
	return true;
}

int accounts_find_id(enum account_sort sort, const char *name, uint32_t *ret_id)
{
	char other[ACCOUNTS_NAME_SIZE];
	uint32_t id;
	int r = ask_by_name(sort, name, ret_id);

	if (r != -ENOENT || !is_number(name, &id))
		return r;
	r = ask_by_id(sort, id, other);
	if (r != -ENOENT)
		return r == 0 || r == -ENAMETOOLONG ? -ENOENT : r;
	*ret_id = id;
	return 0;
}

int accounts_find_name(enum account_sort sort, uint32_t id,
		       char ret_name[static ACCOUNTS_NAME_SIZE])
{
	uint32_t back;
	int r;

	if (id == 0)
		return take_name("root", ret_name) ? 0 : -EIO;
	r = ask_by_id(sort, id, ret_name);
	if (r != -ENOENT)
		return r;
	snprintf(ret_name, ACCOUNTS_NAME_SIZE, "%u", id);
	r = ask_by_name(sort, ret_name, &back);
	if (r == 0)
		return -EIO; /* that is somebody else's name */
	return r == -ENOENT ? 0 : r;
}

bool accounts_may_read(struct accounts_reads *reads, int64_t now)
{
	if (now >= reads->since + CLOCK_S)
		*reads = (struct accounts_reads){.since = now};
	return reads->n++ < READS_MOST;
}
