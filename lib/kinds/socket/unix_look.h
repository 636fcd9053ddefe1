/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at the real directories, for unix.c: on a thread, with the rights of a caller. What is
 * neither a directory nor a socket, nor a link to such, is not there.
 */
#ifndef IPCFS_UNIX_LOOK_H
#define IPCFS_UNIX_LOOK_H

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>

#include "lib/host/caller.h"
#include "lib/host/host.h"

/* What is looked for, and what was found. */
struct unix_look {
	char path[PATH_MAX];
	struct stat attr;      /* of the name itself */
	char target[PATH_MAX]; /* of a link */
};

/* job_call::act, with a struct unix_look. */
int unix_look_act(void *data);

/* A listing: of each entry its number, type and name. */
struct unix_listing {
	char path[PATH_MAX];
	char *entries;
	size_t size;
};

struct unix_listed {
	ino_t ino;
	mode_t mode;
	char name[NAME_MAX + 1]; /* as much of it as is needed */
};

/* job_call::act and undo, with a struct unix_listing. */
int unix_list_act(void *data);
void unix_list_drop(struct host *host, struct caller *caller, void *data);

#endif
