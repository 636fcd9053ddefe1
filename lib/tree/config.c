// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whoever can write the file commands the daemon: its lines run with the daemon's rights. So, as
 * sudo, cron and ssh do with their files, the daemon does not read a file that somebody else owns
 * or may write, nor anything in such a directory. The daemon checks the open file, which nobody can
 * exchange for another file afterwards; a symbolic link is as good as the file it leads to.
 */
#include "lib/tree/config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/base/cleanup.h"
#include "lib/host/host.h"
#include "lib/host/tree_record.h"
#include "lib/host/trust.h"
#include "lib/tree/command.h"
#include "lib/tree/remote_lines.h"

#define FAULT_TEXT 128

/*
 * A file that is being read. Its lines run in order: while a line waits, the reading stays, and
 * further files queue behind it in host::readings.
 */
struct reading {
	struct host *host;
	config_fault_fn *fault;
	unsigned lines; /* enum config_lines: which of them run */
	char *path;
	FILE *file;
	char *text; /* the current line */
	size_t size;
	unsigned line;
	int n_faults;
	struct caller self;
	struct reading *next; /* host::readings */
};

/* What is read, and how. */
struct config_run {
	struct host *host;
	config_fault_fn *fault;
	unsigned lines; /* reading::lines */
};

static void reading_free(struct reading *reading)
{
	fclose(reading->file);
	free(reading->path);
	free(reading->text);
	caller_fini(&reading->self);
	free(reading);
}

int config_caller(struct caller *ret_caller)
{
	*ret_caller = (struct caller){.uid = geteuid(), .gid = getegid(), .pid = getpid()};
	if (caller_load(ret_caller) < 0)
		return -ENOMEM;
	/* The daemon's own umask is 0, for the sake of the mount's callers. */
	ret_caller->umask = CALLER_UMASK;
	return 0;
}

/* Takes ownership of the file. */
static struct reading *reading_new(const struct config_run *config, const char *path, FILE *file)
{
	struct reading *reading = calloc(1, sizeof(*reading));

	if (!reading) {
		fclose(file);
		return NULL;
	}
	reading->host = config->host;
	reading->fault = config->fault;
	reading->lines = config->lines;
	reading->file = file;
	reading->path = strdup(path);
	if (config_caller(&reading->self) < 0 || !reading->path) {
		reading_free(reading);
		return NULL;
	}
	return reading;
}

void config_settle(struct host *host)
{
	if (!host->readings && !host->is_ending)
		host->tree->config_left = remote_lines_are_left(host) ? CONFIG_REMOTE : 0;
}

static void tell(struct reading *reading, unsigned line, const char *what)
{
	reading->fault(reading->path, line, what);
	reading->n_faults++;
}

static void line_done(void *data, int result, const char *error);

/* Runs the line that was read. Returns false if the line waits; then line_done() will read on. */
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

/* Keeps the line for later. */
static void put_off(struct reading *reading, size_t length)
{
	struct remote_place place = {reading->path, reading->line, reading->fault};
	int r = remote_lines_add(reading->host, &place, reading->text, length);

	if (r < 0)
		tell(reading, reading->line, strerror(-r));
}

/*
 * Reads and runs further lines. Returns the number of faults at the end of the file, or 0 if a line
 * has to wait first.
 */
static int read_on(struct reading *reading)
{
	struct host *host = reading->host;
	int n_faults;
	ssize_t length;

	/* When the mount ends, nothing is made any more. */
	while (!host->is_ending &&
	       (errno = 0, length = getline(&reading->text, &reading->size, reading->file)) >= 0) {
		reading->line++;
		if (remote_lines_wants(host, reading->text, (size_t)length))
			put_off(reading, (size_t)length);
		else if ((reading->lines & CONFIG_LOCAL) && !run_line(reading, (size_t)length))
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

/* Continues after a line that waited. When the mount ends, nobody wants to know of faults. */
static void line_done(void *data, int result, const char *error)
{
	struct reading *reading = data;
	struct host *host = reading->host;

	if (result < 0 && !host->is_ending)
		tell(reading, reading->line, error);
	read_on(reading);
	config_settle(host);
}

/* Whether its owner or mode makes the file unsafe to read. Fills in the reason. */
static bool is_distrusted(const struct stat *attr, char text[static FAULT_TEXT])
{
	bool is_root = geteuid() == 0;

	switch (trust_of(attr)) {
	case TRUST_NO_OWNER:
		snprintf(text, FAULT_TEXT, "refused: owned by user %u; chown it to %s",
			 attr->st_uid, is_root ? "root" : "yourself");
		return true;
	case TRUST_NO_MODE:
		snprintf(text, FAULT_TEXT, "refused: writable by others (mode %04o); chmod %s",
			 attr->st_mode & 07777U, is_root ? "go-w" : "o-w");
		return true;
	default:
		return false;
	}
}

/* Whether the file is /dev/null, which contains nothing and so needs no trust. */
static bool is_null(const struct stat *attr)
{
	return S_ISCHR(attr->st_mode) && attr->st_rdev == makedev(1, 3);
}

/*
 * Whether the file is refused. Fills in the reason, which is `errno` if the file could not be
 * opened.
 */
static bool is_refused(int fd, char text[static FAULT_TEXT])
{
	struct stat attr;

	if (fd < 0 || fstat(fd, &attr) < 0)
		snprintf(text, FAULT_TEXT, "%s", strerror(errno));
	else if (is_null(&attr))
		return false;
	else if (S_ISDIR(attr.st_mode))
		snprintf(text, FAULT_TEXT, "%s", strerror(EISDIR));
	else if (!S_ISREG(attr.st_mode))
		snprintf(text, FAULT_TEXT, "refused: not a regular file");
	else
		return is_distrusted(&attr, text);
	return true;
}

/*
 * Opens the file. If that fails, returns NULL and fills in the reason. Waits neither for a FIFO's
 * writer nor for the holder of a lease.
 */
static FILE *open_file(int dir_fd, const char *name, char text[static FAULT_TEXT])
{
	CLEANUP_FD int fd = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	FILE *file;

	if (is_refused(fd, text))
		return NULL;
	file = fdopen(fd, "r");
	if (file)
		TAKE_FD(fd);
	else
		snprintf(text, FAULT_TEXT, "%s", strerror(errno));
	return file;
}

/* Reads one file. `path` is what the file is called when a fault is reported. */
static int read_file(const struct config_run *config, int dir_fd, const char *path)
{
	struct host *host = config->host;
	char text[FAULT_TEXT];
	FILE *file = open_file(dir_fd, dir_fd == AT_FDCWD ? path : strrchr(path, '/') + 1, text);
	struct reading *reading;

	if (!file) {
		config->fault(path, 0, text);
		return 1;
	}
	reading = reading_new(config, path, file);
	if (!reading) {
		config->fault(path, 0, strerror(ENOMEM));
		return 1;
	}
	LL_APPEND(host->readings, reading);
	return host->readings == reading ? read_on(reading) : 0;
}

static int is_config(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return *entry->d_name != '.' && end && strcmp(end, ".conf") == 0;
}

static int read_names(const struct config_run *config, int dir_fd)
{
	char path[sizeof(CONFIG_DIRECTORY) + 1 + NAME_MAX];
	struct dirent **entries;
	int n = scandirat(dir_fd, ".", &entries, is_config, alphasort);
	int n_faults = 0;

	if (n < 0) {
		config->fault(CONFIG_DIRECTORY, 0, strerror(errno));
		return 1;
	}
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", CONFIG_DIRECTORY, entries[i]->d_name);
		n_faults += read_file(config, dir_fd, path);
		free(entries[i]);
	}
	free(entries);
	return n_faults;
}

static int read_directory(const struct config_run *config)
{
	CLEANUP_FD int fd = open(CONFIG_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char text[FAULT_TEXT];
	struct stat attr;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &attr) < 0)
		snprintf(text, FAULT_TEXT, "%s", strerror(errno));
	else if (!is_distrusted(&attr, text))
		return read_names(config, fd);
	config->fault(CONFIG_DIRECTORY, 0, text);
	return 1;
}

static int read_system(const struct config_run *config)
{
	int n_faults = 0;

	if (access(CONFIG_FILE, F_OK) == 0)
		n_faults += read_file(config, AT_FDCWD, CONFIG_FILE);
	return n_faults + read_directory(config);
}

/* Reads the file, or with NULL, those of the system. */
static int read_config(const struct config_run *config, const char *path)
{
	int n_faults;

	config->host->tree->config_left = config->lines;
	n_faults = path ? read_file(config, AT_FDCWD, path) : read_system(config);
	config_settle(config->host);
	return n_faults;
}

int config_read(struct host *host, const char *path, config_fault_fn *fault)
{
	return read_config(&(struct config_run){host, fault, CONFIG_LOCAL | CONFIG_REMOTE}, path);
}

int config_read_system(struct host *host, config_fault_fn *fault)
{
	return read_config(&(struct config_run){host, fault, CONFIG_LOCAL | CONFIG_REMOTE}, NULL);
}

int config_read_left(struct host *host, const char *path, config_fault_fn *fault)
{
	unsigned left = (unsigned)host->tree->config_left;

	return left ? read_config(&(struct config_run){host, fault, left | CONFIG_REMOTE}, path)
		    : 0;
}
