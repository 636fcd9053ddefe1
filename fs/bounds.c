// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine's limits are read from /proc/sys. Some kernels lack some of the files. */
#include "fs/bounds.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <syslog.h>
#include <unistd.h>

#include "fs/log.h"
#include "lib/host/caller.h"

#define FUSE_SETTINGS   "/proc/sys/fs/fuse/"
#define PIPE_MAX        "/proc/sys/fs/pipe-max-size"
#define PIPE_PAGES_SOFT "/proc/sys/fs/pipe-user-pages-soft"

/* Returns the number in a file of /proc/sys, or `otherwise` if this kernel has no such file. */
static unsigned long read_setting(const char *path, unsigned long otherwise)
{
	unsigned long value;
	FILE *file = fopen(path, "re");

	if (!file)
		return otherwise;
	if (fscanf(file, "%lu", &value) != 1)
		value = otherwise;
	fclose(file);
	return value;
}

static int check_timeout(const char *path)
{
	unsigned long seconds = read_setting(path, 0);

	if (seconds == 0)
		return 0;
	log_line(LOG_ERR, "%s: the kernel would abort the mount after a wait of %lu s; set it to 0",
		 path, seconds);
	return -ENOTSUP;
}

int bounds_check_timeouts(void)
{
	int r = check_timeout(FUSE_SETTINGS "default_request_timeout");

	return r == 0 ? check_timeout(FUSE_SETTINGS "max_request_timeout") : r;
}

size_t bounds_io_max(void)
{
	size_t most = (size_t)read_setting(FUSE_SETTINGS "max_pages_limit", 256) * HOST_PAGE;

	return most < HOST_IO_MAX ? most : HOST_IO_MAX;
}

void bounds_raise_files(void)
{
	struct rlimit limit = {.rlim_cur = 1048576, .rlim_max = 1048576};

	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

void bounds_set(struct host *host, const struct options *options)
{
	if (options->max_channels)
		host->users.limits[USER_CHANNELS] = options->max_channels;
	if (options->max_files)
		host->users.limits[USER_FILES] = options->max_files;
	if (options->max_held)
		host->users.limits[USER_HELD] = options->max_held;
	host->idle = options->leak_idle;
	if (options->max_names)
		host->users.limits[USER_NAMES] = options->max_names;
}

static bool is_privileged(void)
{
	struct caller self = {.uid = geteuid(), .gid = getegid(), .pid = getpid()};
	bool is = caller_load(&self) == 0 && caller_has(&self, CAP_SYS_RESOURCE);

	caller_fini(&self);
	return is;
}

void bounds_warn_pipes(const struct options *options)
{
	size_t capacity = options->pipes.capacity;
	size_t share = (size_t)read_setting(PIPE_PAGES_SOFT, 0) * HOST_PAGE / 2;
	const char *path = NULL;

	if (options->pipes.by_daemon)
		return;
	if (capacity > read_setting(PIPE_MAX, SIZE_MAX) && !is_privileged())
		path = PIPE_MAX;
	else if (share && capacity > share)
		path = "half of " PIPE_PAGES_SOFT;
	if (path)
		log_line(LOG_WARNING,
			 "pipe_capacity=%zu: above %s, so FIFOs will hold 64 KiB; raise that limit",
			 capacity, path);
}
