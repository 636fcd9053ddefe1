/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The content of a text that is being made while its reader waits: for text.c alone.
 */
#ifndef IPCFS_MAKING_H
#define IPCFS_MAKING_H

#include "lib/channel/text.h"

struct making;

/* A text as its making needs it; part of the text's memory. */
struct text_source {
	struct channel *channel;
	const struct text_ops *ops;
	void *data;
	size_t *size; /* of the last one */
};

/* Gives the file its content, which is taken over, and remembers the size. -ENOBUFS */
int making_freeze(const struct text_source *source, struct file *file, struct remainder *content);

/*
 * Begins the content of `file`, an open of source->channel, for `caller`: file->state is the making
 * until it is done. Then file->mark is 0 and the file is frozen, or it is an errno;
 * and the channel is woken. -ENOBUFS, -ENOMEM, or what prepare() returned.
 */
int making_start(const struct text_source *source, struct file *file, struct caller *caller);

/* The file is being released. */
void making_drop(struct making *making);

/* Prints what source->data comes to; the caller owns the content. -ENOMEM, or print()'s error. */
int making_print(const struct text_ops *ops, void *data, struct caller *caller,
		 struct remainder *ret_content);

#endif
