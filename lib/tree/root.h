/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root of the mount, with everything below it.
 */
#ifndef IPCFS_ROOT_H
#define IPCFS_ROOT_H

#include "lib/channel/space.h"

/*
 * Opens the spaces of all kinds and puts them in their places; after this host::spaces lists them.
 * The next daemon takes over what the former one knew: what was set of directories, what the
 * configuration has named, and what it has repeated.
 * A kind that the machine lacks is left out, and reported to `missing`. The caller owns the
 * reference and gives it back with root_free(). Fails with -ENOMEM or -EMFILE.
 */
int root_new(struct host *host, void (*missing)(const char *path, int error),
	     struct space **ret_root);
void root_free(struct host *host, struct space *root);

#endif
