/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a read of ctl gives: the grammar, and the user's own last error.
 *
 * A read-only open has one text, made at the open. An open that also writes is a conversation, in
 * which reads and writes would share positions, so it is a stream. Its text is made at the first
 * read, and again at the first read after a write. When all of the text has been read, reads find
 * end-of-file until the next write.
 */
#ifndef IPCFS_CTL_TEXT_H
#define IPCFS_CTL_TEXT_H

#include "lib/channel/channel.h"

/* Returns the size of the text without a complaint, or 0 if there is no memory to find out. */
size_t ctl_text_size(const struct host *host);

/*
 * For an open that only reads: makes its text. Sets *ret_size on success. Fails with -ENOMEM or
 * -ENOBUFS.
 */
int ctl_text_freeze(struct file *file, size_t *ret_size);

/*
 * For an open that also writes: reads from its text, and sets file::mark when the text has ended.
 * Fails with -ENOMEM or -ENOBUFS.
 */
ssize_t ctl_text_read(struct file *file, void *data, size_t size);
void ctl_text_forget(struct file *file);       /* called at a write */
uint64_t ctl_text_position(struct file *file); /* for channel_ops::position */

#endif
