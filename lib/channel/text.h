/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files whose content is made when they are opened, and after that is read-only and never changes.
 *
 * Content that takes a long time is made while the open waits: gathered on the loop, piece by piece
 * and with the jobs it needs, then printed by a worker. Each user's texts are made one at a time,
 * and between two pieces others have their turn: no one waits for a stranger's text.
 */
#ifndef IPCFS_TEXT_H
#define IPCFS_TEXT_H

#include <stdio.h>

#include "lib/channel/channel.h"

/* What stat(2) shows while the size is unknown. A size of 0 would be taken for end-of-file. */
#define TEXT_SIZE_UNKNOWN HOST_PAGE

struct text_ops {
	/*
	 * Prints the content as `reader` may see it. Returns 0, or the -errno that the open fails
	 * with. Without prepare(), this may be a job.
	 */
	int (*print)(void *data, struct caller *reader, FILE *out);
	void (*release)(void *data); /* when the text is destroyed; NULL: nothing to do */

	/*
	 * For a print() that may be slow: it runs on a worker, and works on what prepare() has made
	 * of the data on the loop. Afterwards discard() frees the bulk of that on the worker, and
	 * finish() frees the rest on the loop. discard() NULL: nothing to discard.
	 */
	int (*prepare)(void *data, struct caller *reader, void **ret_prepared);
	void (*discard)(void *prepared);
	void (*finish)(void *prepared);
	/*
	 * Called on the loop after prepare(): gathers one more piece in far less than a
	 * millisecond. Returns -EAGAIN if there are more pieces, or -EINPROGRESS if reader->waiter,
	 * which is set now, will be resumed. NULL: nothing to gather.
	 */
	int (*gather)(void *prepared, struct caller *reader);
	bool has_size; /* the content never changes: stat tells its size */
	/* What stat(2) shows while the size is unknown; 0: TEXT_SIZE_UNKNOWN. */
	size_t first_size;
	/*
	 * For a text that is made anew at each LOOKUP: where the size of the last content is kept,
	 * which is TEXT_SIZE_UNKNOWN until there is one. Valid until release(). NULL: kept with the
	 * text.
	 */
	size_t *(*last_size)(void *data);
};

/* The inode number of the text `name` in the space, unless text_set_ino() sets another. */
ino_t text_ino(const struct space *space, const char *name);
void text_set_ino(struct channel *channel, ino_t ino);

/*
 * Makes a text in the space where it is shown, and keeps a reference to that space. `data` is for
 * the ops, and is released even on failure. Fails with -ENOMEM.
 */
int text_new(struct space *space, const char *name, const struct text_ops *ops, void *data,
	     struct channel **ret_channel);

#endif
