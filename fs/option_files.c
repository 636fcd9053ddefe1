// SPDX-License-Identifier: GPL-2.0-or-later
/* A file is checked before anything is mounted, so that the line that mounts says what is wrong. */
#include "fs/option_files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "fs/log.h"

/* Whether the mount will hide the path. The daemon can't read a file through its own mount. */
static bool is_hidden(const struct options *options, const char *path)
{
	size_t length = strlen(options->mount_point);

	return strncmp(path, options->mount_point, length) == 0 &&
	       (path[length] == '/' || length == 1);
}

/* Makes the path absolute: the daemon changes its directory, and may read the file again. */
static int find_file(const struct options *options, char **path)
{
	char *found;

	if (!*path)
		return 0;
	found = realpath(*path, NULL);
	if (!found) {
		int error = errno;

		log_line(LOG_ERR, "%s: %s", *path, strerror(error));
		return -error;
	}
	free(*path);
	*path = found;
	if (options->mount_point && is_hidden(options, found)) {
		log_line(LOG_ERR, "%s: the mount would hide this file; move it elsewhere", found);
		return -EINVAL;
	}
	return 0;
}

int option_files_find(struct options *options)
{
	int r = find_file(options, &options->config);

	if (r == 0)
		r = find_file(options, &options->cluster.creds);
	return r < 0 ? r : find_file(options, &options->cluster.ca);
}
