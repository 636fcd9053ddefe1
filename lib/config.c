// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/config.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/cleanup.h"
#include "lib/command.h"

int config_read(struct host *host, const char *path, config_fault_fn *fault)
{
	struct caller self = {.uid = geteuid(), .gid = getegid(), .pid = getpid()};
	CLEANUP_FREE char *line = NULL;
	char error[COMMAND_ERROR_MAX];
	FILE *file = fopen(path, "re");
	int n_faults = 0;
	size_t size = 0;
	ssize_t length;

	/* The daemon's own umask is 0, for the callers of the mount. */
	caller_load(&self);
	self.umask = CALLER_UMASK;
	if (!file) {
		fault(path, 0, strerror(errno));
		return 1;
	}
	for (unsigned n = 1; errno = 0, (length = getline(&line, &size, file)) >= 0; n++) {
		if (command_run(host, line, (size_t)length, COMMAND_KEEP, &self, error) == 0)
			continue;
		fault(path, n, error);
		n_faults++;
	}
	if (errno) {
		fault(path, 0, strerror(errno));
		n_faults++;
	}
	fclose(file);
	caller_fini(&self);
	return n_faults;
}

int config_read_system(struct host *host, config_fault_fn *fault)
{
	int n_faults = 0;
	glob_t found;

	if (access(CONFIG_FILE, F_OK) == 0)
		n_faults += config_read(host, CONFIG_FILE, fault);
	if (glob(CONFIG_DIRECTORY "/*.conf", 0, NULL, &found) != 0)
		return n_faults;
	for (size_t i = 0; i < found.gl_pathc; i++)
		n_faults += config_read(host, found.gl_pathv[i], fault);
	globfree(&found);
	return n_faults;
}
