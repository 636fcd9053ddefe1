// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/tree/config.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/tree/command.h"
#include "lib/host/host.h"

/* A command that has to wait. */
struct later {
	struct host_waiter waiter;
	struct host *host;
	struct caller caller;
	config_fault_fn *fault;
	unsigned line;
	char *path, *text;
};

static void later_free(struct later *later)
{
	host_unwait(later->host, &later->waiter);
	caller_fini(&later->caller);
	free(later->path);
	free(later->text);
	free(later);
}

static void later_run(struct host_waiter *waiter)
{
	struct later *later = CONTAINER_OF(waiter, struct later, waiter);
	char error[COMMAND_ERROR_MAX];
	int r = command_run(later->host, later->text, strlen(later->text), COMMAND_KEEP,
			    &later->caller, error);

	if (r == -EAGAIN) {
		host_wait(later->host, waiter);
		return;
	}
	if (r < 0)
		later->fault(later->path, later->line, error);
	later_free(later);
}

static int later_new(struct host *host, struct caller *caller, const struct later *from)
{
	struct later *later = malloc(sizeof(*later));

	if (!later)
		return -ENOMEM;
	*later = *from;
	later->waiter = (struct host_waiter){.run = later_run};
	later->host = host;
	later->path = strdup(from->path);
	later->text = strdup(from->text);
	if (caller_copy(&later->caller, caller) < 0 || !later->path || !later->text) {
		later_free(later);
		return -ENOMEM;
	}
	host_wait(host, &later->waiter);
	return 0;
}

void config_drop_waiting(struct host *host)
{
	struct host_waiter *waiter, *next;

	DL_FOREACH_SAFE(host->waiters, waiter, next) {
		if (waiter->run == later_run)
			later_free(CONTAINER_OF(waiter, struct later, waiter));
	}
}

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
		int r = command_run(host, line, (size_t)length, COMMAND_KEEP, &self, error);

		if (r == -EAGAIN && later_new(host, &self,
					      &(struct later){.fault = fault,
							      .line = n,
							      .path = (char *)path,
							      .text = line}) == 0)
			continue;
		if (r == 0)
			continue;
		fault(path, n, r == -EAGAIN ? strerror(ENOMEM) : error);
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
