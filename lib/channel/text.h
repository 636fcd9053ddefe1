/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files whose content is made when they are opened, and read-only from then on.
 */
#ifndef IPCFS_TEXT_H
#define IPCFS_TEXT_H

#include <stdio.h>

#include "lib/channel/channel.h"

struct text_ops {
	/* Prints the content as `reader` may see it. 0, or -errno that the open fails with. */
	int (*print)(void *data, struct caller *reader, FILE *out);
	void (*release)(void *data); /* when the text is destroyed; NULL: nothing to do */

	/*
	 * For a print() that may take long: it then runs on a worker, while reads wait, with what
	 * prepare() has made of the data on the loop; finish() frees that.
	 */
	int (*prepare)(void *data, struct caller *reader, void **ret_prepared);
	void (*finish)(void *prepared);
	bool has_size; /* the content is always the same: stat tells its size */
};

/* The inode number of the text `name` in the space. */
ino_t text_ino(const struct space *space, const char *name);

/*
 * Makes one in the space where it is shown, which it keeps a reference to. `data` is for the ops,
 * and released also if this fails: -ENOMEM.
 */
int text_new(struct space *space, const char *name, const struct text_ops *ops, void *data,
	     struct channel **ret_channel);

#endif
