/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at the real directories for unix.c: on a thread, with the caller's rights and from the
 * caller's root, which need not be the daemon's (job_call::walks). Whatever is neither a directory
 * nor a socket, nor a link to one, does not exist here.
 */
#ifndef IPCFS_UNIX_LOOK_H
#define IPCFS_UNIX_LOOK_H

#include <limits.h>
#include <stddef.h>
#include <sys/stat.h>

#include "lib/channel/listed.h"

/* A path to look at, and what was found. */
struct unix_look {
	char path[PATH_MAX];
	struct stat attr;      /* of the name itself, link or not */
	char target[PATH_MAX]; /* where a link leads */
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

/* Where the mount shows the real root directory. */
#define UNIX_ROOT_PATH "sockets/unix"

#endif
