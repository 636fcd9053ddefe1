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

/*
 * A file that is being read. Its lines are done in order: while one waits the reading stays, and
 * what is to be read besides stands behind it in host::readings.
 */
struct reading {
	struct host *host;
	config_fault_fn *fault;
	char *path;
	FILE *file;
	char *text; /* of the line */
	size_t size;
	unsigned line;
	int n_faults;
	struct caller self;
	struct reading *next; /* host::readings */
};

static void reading_free(struct reading *reading)
{
	fclose(reading->file);
	free(reading->path);
	free(reading->text);
	caller_fini(&reading->self);
	free(reading);
}

/* Takes over the file. */
static struct reading *reading_new(struct host *host, const char *path, FILE *file,
				   config_fault_fn *fault)
{
	struct reading *reading = calloc(1, sizeof(*reading));

	if (!reading) {
		fclose(file);
		return NULL;
	}
	reading->host = host;
	reading->fault = fault;
	reading->file = file;
	reading->path = strdup(path);
	reading->self = (struct caller){.uid = geteuid(), .gid = getegid(), .pid = getpid()};
	if (!reading->path || caller_load(&reading->self) < 0) {
		reading_free(reading);
		return NULL;
	}
	/* The daemon's own umask is 0, for the callers of the mount. */
	reading->self.umask = CALLER_UMASK;
	return reading;
}

static void tell(struct reading *reading, unsigned line, const char *what)
{
	reading->fault(reading->path, line, what);
	reading->n_faults++;
}

static void line_done(void *data, int result, const char *error);

/* The line that was read. False: it waits, and line_done() has the reading. */
static bool run_line(struct reading *reading, size_t length)
{
	struct command *command = NULL;
	int r = command_new(reading->host, reading->text, length, COMMAND_KEEP, &reading->self,
			    &command);

	if (r == 0) {
		r = command_run(command, NULL);
		if (r < 0 && r != -EAGAIN)
			tell(reading, reading->line, command_error(command));
		if (r != -EAGAIN) {
			command_free(command);
			return true;
		}
		r = command_run_alone(command, line_done, reading);
		if (r == 0)
			return false;
	}
	tell(reading, reading->line, strerror(-r));
	return true;
}

/* Reads on. The number of faults if it comes to the end; else 0, and it goes on later. */
static int read_on(struct reading *reading)
{
	struct host *host = reading->host;
	int n_faults;
	ssize_t length;

	/* Once the mount ends nothing is made any more. */
	while (!host->is_ending &&
	       (errno = 0, length = getline(&reading->text, &reading->size, reading->file)) >= 0) {
		reading->line++;
		if (!run_line(reading, (size_t)length))
			return 0;
	}
	if (!host->is_ending && errno)
		tell(reading, 0, strerror(errno));
	n_faults = reading->n_faults;
	LL_DELETE(host->readings, reading);
	reading_free(reading);
	if (host->readings)
		read_on(host->readings);
	return n_faults;
}

/* Once the mount ends nobody wants to know. */
static void line_done(void *data, int result, const char *error)
{
	struct reading *reading = data;

	if (result < 0 && !reading->host->is_ending)
		tell(reading, reading->line, error);
	read_on(reading);
}

int config_read(struct host *host, const char *path, config_fault_fn *fault)
{
	FILE *file = fopen(path, "re");
	struct reading *reading;

	if (!file) {
		fault(path, 0, strerror(errno));
		return 1;
	}
	reading = reading_new(host, path, file, fault);
	if (!reading) {
		fault(path, 0, strerror(ENOMEM));
		return 1;
	}
	LL_APPEND(host->readings, reading);
	return host->readings == reading ? read_on(reading) : 0;
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
