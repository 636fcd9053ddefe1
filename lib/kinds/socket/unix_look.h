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

/* Of a listing: behind each of these, its name. */
struct unix_entry {
	ino_t ino;
	mode_t mode;
};

/* A piece of a listing. */
struct unix_piece {
	char path[PATH_MAX];
	off_t offset; /* where it begins: 0, or what the one before had; then where it ends */
	size_t size;
	size_t is_last; /* nothing follows */
	char entries[32768];
};

/* job_call::act, with a struct unix_piece. */
int unix_list_act(void *data);

#endif
