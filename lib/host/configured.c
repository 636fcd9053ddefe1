// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A set of texts "KIND/NAME". Nothing is taken out of it: who removes such an object by hand finds
 * it again after the next mount.
 */
#include "lib/host/configured.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/host/host.h"

/* A kind's path, a slash and a name. */
#define PATH_TEXT (NAME_MAX + 64)

struct configured {
	UT_hash_handle hh; /* host::configured, by path */
	char path[];
};

static struct configured *find(const struct host *host, const char *path)
{
	struct configured *found;

	HASH_FIND_STR(host->configured, path, found);
	return found;
}

int configured_add(struct host *host, const char *kind, const char *name)
{
	struct configured *added;
	char path[PATH_TEXT];

	snprintf(path, sizeof(path), "%s/%s", kind, name);
	if (find(host, path))
		return 0;
	added = calloc(1, sizeof(*added) + strlen(path) + 1);
	if (!added)
		return -ENOMEM;
	strcpy(added->path, path);
	HASH_ADD_STR(host->configured, path, added);
	if (added->hh.tbl)
		return 0;
	free(added);
	return -ENOMEM;
}

bool configured_has(const struct host *host, const char *kind, const char *name)
{
	char path[PATH_TEXT];

	snprintf(path, sizeof(path), "%s/%s", kind, name);
	return find(host, path);
}

void configured_forget(struct host *host)
{
	struct configured *each, *next;

	HASH_ITER(hh, host->configured, each, next) {
		HASH_DEL(host->configured, each);
		free(each);
	}
}
