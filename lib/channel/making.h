/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The content of a text, made while its reader waits. Private to text.c.
 */
#ifndef IPCFS_MAKING_H
#define IPCFS_MAKING_H

#include "lib/channel/text.h"

struct making;

/* What a making needs to know of its text; part of the text's memory. */
struct text_source {
	struct channel *channel;
	const struct text_ops *ops;
	void *data;
	size_t *size; /* of the last content */
};

/* Gives the file its content, takes ownership of it and notes the size. Fails with -ENOBUFS. */
int making_freeze(const struct text_source *source, struct file *file, struct remainder *content);

/*
 * Starts making the content of `file`, an open of source->channel, for `caller`. file->state is the
 * making until it is done. Then the channel is woken, and either file_record::mark is 0 and the
 * file is frozen, or file_record::mark is an errno. Fails with -ENOBUFS, -ENOMEM, or the error of
 * prepare().
 */
int making_start(const struct text_source *source, struct file *file, struct caller *caller);

/* Gives up a making, because its file is being released. */
void making_drop(struct making *making);

/*
 * Prints the content that `data` stands for. The caller owns the content. Fails with -ENOMEM, or
 * the error of print().
 */
int making_print(const struct text_ops *ops, void *data, struct caller *caller,
		 struct remainder *ret_content);

#endif
