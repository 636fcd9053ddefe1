// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/account.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

bool account_find_user(const char *name, bool is_patient, unsigned long *ret_id)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *entry = NULL;

	while (file && (entry = fgetpwent(file)) && strcmp(entry->pw_name, name) != 0)
		continue;
	if (!entry && is_patient)
		entry = getpwnam(name);
	if (entry)
		*ret_id = entry->pw_uid;
	if (file)
		fclose(file);
	return entry;
}

bool account_find_group(const char *name, bool is_patient, unsigned long *ret_id)
{
	FILE *file = fopen("/etc/group", "re");
	struct group *entry = NULL;

	while (file && (entry = fgetgrent(file)) && strcmp(entry->gr_name, name) != 0)
		continue;
	if (!entry && is_patient)
		entry = getgrnam(name);
	if (entry)
		*ret_id = entry->gr_gid;
	if (file)
		fclose(file);
	return entry;
}
