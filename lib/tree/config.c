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
#include "lib/host/host.h"
#include "lib/tree/command.h"

/* Where a command stands that has to wait. */
struct config_place {
	struct host *host;
	config_fault_fn *fault;
	char *path;
	unsigned line;
};

static void config_place_free(struct config_place *place)
{
	free(place->path);
	free(place);
}

/* Once the mount ends nobody wants to know. */
static void config_place_done(void *data, int result, const char *error)
{
	struct config_place *place = data;

	if (result < 0 && !place->host->is_ending)
		place->fault(place->path, place->line, error);
	config_place_free(place);
}

/* Has a command run on, which it takes over. */
static int run_on(struct command *command, const struct config_place *from)
{
	struct config_place *place = malloc(sizeof(*place));

	if (!place) {
		command_free(command);
		return -ENOMEM;
	}
	*place = *from;
	place->path = strdup(from->path);
	if (place->path)
		return command_run_alone(command, config_place_done, place);
	config_place_free(place);
	command_free(command);
	return -ENOMEM;
}

/* A line of the file. Faults of one that has to wait are told when it has been done. */
static int run_line(const struct config_place *place, const char *text, size_t length,
		    struct caller *caller)
{
	struct command *command;
	int r = command_new(place->host, text, length, COMMAND_KEEP, caller, &command);

	if (r == 0) {
		r = command_run(command, NULL);
		if (r < 0 && r != -EAGAIN) {
			place->fault(place->path, place->line, command_error(command));
			command_free(command);
			return 1;
		}
		if (r == -EAGAIN)
			r = run_on(command, place);
		else
			command_free(command);
	}
	if (r < 0)
		place->fault(place->path, place->line, strerror(-r));
	return r < 0 ? 1 : 0;
}

int config_read(struct host *host, const char *path, config_fault_fn *fault)
{
	struct caller self = {.uid = geteuid(), .gid = getegid(), .pid = getpid()};
	CLEANUP_FREE char *line = NULL;
	FILE *file = fopen(path, "re");
	int n_faults = 0;
	size_t size = 0;
	ssize_t length;

	if (!file) {
		fault(path, 0, strerror(errno));
		return 1;
	}
	/* The daemon's own umask is 0, for the callers of the mount. */
	caller_load(&self);
	self.umask = CALLER_UMASK;
	for (unsigned n = 1; errno = 0, (length = getline(&line, &size, file)) >= 0; n++) {
		const struct config_place place = {host, fault, (char *)path, n};

		n_faults += run_line(&place, line, (size_t)length, &self);
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
