/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists a real directory, for unix.c, piece by piece.
 *
 * How long a directory is, a user decides, and who asks for a list may leave while a thread is at
 * it: so a thread has room for a piece alone, in memory that there is before it begins. Where the
 * pieces are put together they are charged to the caller first.
 */
#ifndef IPCFS_UNIX_LIST_H
#define IPCFS_UNIX_LIST_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/host/caller.h"
#include "lib/host/host.h"

struct unix_list {
	struct host *host;
	uid_t uid;    /* whom it is charged to */
	off_t offset; /* of the next piece: a position of readdir(3) */
	char *entries;
	size_t size, room;
};

/* May have to wait. -ENOBUFS: it is more than the user may take; -ENOMEM; of opendir(3) */
int unix_list_get(struct host *host, struct caller *caller, const char *path,
		  struct unix_list **ret_list);

void unix_list_free(struct unix_list *list);

struct unix_listed {
	ino_t ino;
	mode_t mode;
	const char *name;
};

/* The entry at *position, which begins with 0. False: there are no more. */
bool unix_list_next(const struct unix_list *list, size_t *position, struct unix_listed *ret_listed);

#endif
