/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files whose content is made when they are opened, and read-only and the same from then on.
 *
 * What takes long is made while the open waits: gathered on the loop, piece by piece and with what
 * jobs it needs, and then printed by a worker. Of each user's texts one is made at a time, and
 * between two pieces others have their turn: nobody waits for a stranger's.
 */
#ifndef IPCFS_TEXT_H
#define IPCFS_TEXT_H

#include <stdio.h>

#include "lib/channel/channel.h"

/* Nothing would be taken for the end. */
#define TEXT_SIZE_UNKNOWN HOST_PAGE

struct text_ops {
	/*
	 * Prints the content as `reader` may see it. 0, or -errno that the open fails with. Without
	 * prepare() it may be a job.
	 */
	int (*print)(void *data, struct caller *reader, FILE *out);
	void (*release)(void *data); /* when the text is destroyed; NULL: nothing to do */

	/*
	 * For a print() that may take long: it runs on a worker, with
	 * what prepare() has made of the data on the loop. finish() frees that, on the loop;
	 * discard() before it, on the worker, what is much. NULL: nothing to discard.
	 */
	int (*prepare)(void *data, struct caller *reader, void **ret_prepared);
	void (*discard)(void *prepared);
	void (*finish)(void *prepared);
	/*
	 * After prepare(), on the loop: takes one more piece, far less than a millisecond. -EAGAIN:
	 * there are more. -EINPROGRESS: reader->waiter, which is there now, will be resumed. NULL:
	 * nothing to gather.
	 */
	int (*gather)(void *prepared, struct caller *reader);
	bool has_size; /* the content is always the same: stat tells its size */
	/*
	 * Where the size of the last one is kept, TEXT_SIZE_UNKNOWN until there is one: for a text
	 * that is itself made anew at each LOOKUP. Good until release(). NULL: with the text.
	 */
	size_t *(*last_size)(void *data);
};

/* The inode number of the text `name` in the space, unless it gets another. */
ino_t text_ino(const struct space *space, const char *name);
void text_set_ino(struct channel *channel, ino_t ino);

/*
 * Makes one in the space where it is shown, which it keeps a reference to. `data` is for the ops,
 * and released also if this fails: -ENOMEM.
 */
int text_new(struct space *space, const char *name, const struct text_ops *ops, void *data,
	     struct channel **ret_channel);

#endif
