/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory whose entries are put in once and stay: the root, and those between it and the
 * kinds.
 */
#ifndef IPCFS_FOLDER_H
#define IPCFS_FOLDER_H

#include "lib/channel/space.h"

struct folder;

/* `path` is where it is shown. -ENOMEM */
int folder_new(struct host *host, const char *path, struct folder **ret_folder);
struct space *folder_space(struct folder *folder); /* borrowed */

/*
 * Takes all entries out. Texts refer to the space that they are in, so a folder with texts goes
 * only after this.
 */
void folder_clear(struct space *space);

/* Puts an entry in, and takes over its reference, also when it fails: -ENOMEM. */
int folder_add(struct folder *folder, const char *name, struct entry entry);

/*
 * Puts a directory in at `path` below the folder, in folders of their own as far as these are
 * missing. Takes over the reference. `prefix` is where the folder itself is shown. -ENOMEM
 */
int folder_add_at(struct folder *folder, const char *prefix, const char *path, struct space *space);

#endif
