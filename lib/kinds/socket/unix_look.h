/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at the real directories, for unix.c: on a thread, with the rights of a caller and from its
 * root, which need not be the daemon's (job_call::walks). What is neither a directory nor a socket,
 * nor a link to such, is not there.
 */
#ifndef IPCFS_UNIX_LOOK_H
#define IPCFS_UNIX_LOOK_H

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>

#include "lib/channel/listed.h"

/* What is looked for, and what was found. */
struct unix_look {
	char path[PATH_MAX];
	struct stat attr;      /* of the name itself */
	char target[PATH_MAX]; /* of a link */
};

/* job_call::act, with a struct unix_look. */
int unix_look_act(void *data);

/* A listing of a directory, in pieces. */
struct unix_listing {
	struct listed listed;
	char path[PATH_MAX];
};

/* job_call::act, with a struct unix_listing; listed_drop() undoes it. */
int unix_list_act(void *data);

/* The path where the mount shows what is at a real one. */
#define UNIX_ROOT_PATH "sockets/unix"

#endif
