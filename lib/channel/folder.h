/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory whose entries are added once and stay: the root, and the directories between it and
 * the kinds.
 */
#ifndef IPCFS_FOLDER_H
#define IPCFS_FOLDER_H

#include "lib/channel/space.h"

struct folder;

/* Makes an empty folder, which is shown at `path`. Fails with -ENOMEM. */
int folder_new(struct host *host, const char *path, struct folder **ret_folder);
struct space *folder_space(struct folder *folder); /* borrowed */

/*
 * Removes all entries, also those of the folders in it. A text holds a reference to the space it is
 * in, so a folder with texts is destroyed only after this.
 */
void folder_clear(struct space *space);

/*
 * Finds the directory with this number in the folder, or in the folders in it; or the folder
 * itself. Borrowed. NULL: there is none. Other directories are not searched.
 */
struct space *folder_search(struct space *folder, ino_t ino);

/* Adds an entry and takes ownership of its reference, even when failing with -ENOMEM. */
int folder_add(struct folder *folder, const char *name, struct entry entry);

/*
 * Finds the folder `name` in the folder, or makes it, to be shown at `path`. Borrowed. Fails with
 * -ENOMEM.
 */
int folder_enter(struct folder *folder, const char *name, const char *path,
		 struct folder **ret_folder);

/*
 * Adds a directory at `path` below the folder, and makes the folders on the way that are missing.
 * Takes ownership of the reference. `prefix` is where the folder is shown. Fails with -ENOMEM.
 */
int folder_add_at(struct folder *folder, const char *prefix, const char *path, struct space *space);

#endif
