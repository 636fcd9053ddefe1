// SPDX-License-Identifier: GPL-2.0-or-later
/* Ordinary users often have a group of their own, and a umask that lets the group write. */
#include "lib/host/trust.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

enum trust trust_of(const struct stat *attr)
{
	uid_t self = geteuid();
	mode_t others = self == 0 ? S_IWGRP | S_IWOTH : S_IWOTH;

	if (attr->st_uid != 0 && attr->st_uid != self)
		return TRUST_NO_OWNER;
	return attr->st_mode & others ? TRUST_NO_MODE : TRUST_FULL;
}

static enum trust trust_of_folder(const char *path)
{
	struct stat attr;

	if (stat(path, &attr) < 0)
		return TRUST_NO_OWNER;
	if (attr.st_mode & S_ISVTX)
		attr.st_mode &= ~(mode_t)(S_IWGRP | S_IWOTH);
	return trust_of(&attr);
}

enum trust trust_of_way(const char *path)
{
	enum trust trust = TRUST_FULL;
	char way[PATH_MAX];

	if (path[0] != '/' || strlen(path) >= sizeof(way))
		return TRUST_NO_OWNER;
	for (size_t i = 0; path[i] && trust == TRUST_FULL; i++) {
		way[i] = path[i];
		way[i + 1] = '\0';
		if (path[i] == '/')
			trust = trust_of_folder(way);
	}
	return trust;
}
