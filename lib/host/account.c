// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The local files are read on the loop. A job is needed only for a name that is not in them.
 */
#include "lib/host/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "lib/host/job.h"

#define NAME_SIZE 256   /* LOGIN_NAME_MAX */
#define ENTRY_MAX 65536 /* size of a group with its members, bytes */

static bool is_user_here(const char *name, unsigned long *ret_id)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *entry = NULL;

	while (file && (entry = fgetpwent(file)) && strcmp(entry->pw_name, name) != 0)
		continue;
	if (entry)
		*ret_id = entry->pw_uid;
	if (file)
		fclose(file);
	return entry;
}

static bool is_group_here(const char *name, unsigned long *ret_id)
{
	FILE *file = fopen("/etc/group", "re");
	struct group *entry = NULL;

	while (file && (entry = fgetgrent(file)) && strcmp(entry->gr_name, name) != 0)
		continue;
	if (entry)
		*ret_id = entry->gr_gid;
	if (file)
		fclose(file);
	return entry;
}

/* What the job works on: the name to look up, and then the id that was found. */
struct account_question {
	enum account_sort sort;
	char name[NAME_SIZE];
	unsigned long id;
};

static int account_ask(void *data)
{
	struct account_question *question = data;
	char buffer[ENTRY_MAX];
	struct passwd user, *found_user = NULL;
	struct group group, *found_group = NULL;

	if (question->sort == ACCOUNT_USER)
		getpwnam_r(question->name, &user, buffer, sizeof(buffer), &found_user);
	else
		getgrnam_r(question->name, &group, buffer, sizeof(buffer), &found_group);
	if (!found_user && !found_group)
		return -ENOENT;
	question->id = found_user ? user.pw_uid : group.gr_gid;
	return 0;
}

int account_find(struct host *host, struct caller *caller, enum account_sort sort, const char *name,
		 unsigned long *ret_id)
{
	struct account_question question;
	const struct job_call call = {.place = JOB_THREAD,
				      .act = account_ask,
				      .data = &question,
				      .size = sizeof(question)};
	int r;

	if (sort == ACCOUNT_USER ? is_user_here(name, ret_id) : is_group_here(name, ret_id))
		return 0;
	if (!*name || strlen(name) >= NAME_SIZE)
		return -ENOENT;
	memset(&question, 0, sizeof(question)); /* job_run() compares every byte */
	question.sort = sort;
	strcpy(question.name, name);
	r = job_run(host, caller, &call);
	if (r == 0)
		*ret_id = question.id;
	return r;
}
