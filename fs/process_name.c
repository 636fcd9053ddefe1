// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * /proc/PID/comm, proc_pid_comm(5).
 */
#include "fs/process_name.h"

#include <stdio.h>
#include <string.h>

bool process_has_name(pid_t pid, const char *name)
{
	char path[40], found[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (!fgets(found, sizeof(found), file))
		*found = '\0';
	fclose(file);
	found[strcspn(found, "\n")] = '\0';
	return strcmp(found, name) == 0;
}
