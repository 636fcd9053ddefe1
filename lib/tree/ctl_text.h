/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a read of ctl gives: the grammar, and what was last wrong with a line of the user's.
 *
 * An open for reading alone has one text, from the open on. One that also writes is a conversation,
 * where positions would be those of both: a stream. Its text is made at the first read, and after a
 * write anew; when it has been read to the end, it has ended until then.
 */
#ifndef IPCFS_CTL_TEXT_H
#define IPCFS_CTL_TEXT_H

#include "lib/channel/channel.h"
#include "lib/tree/complaints.h"

/* Of the text without a complaint; 0 if there is no memory to find out. */
size_t ctl_text_size(void);

/* For an open that reads alone. Sets *ret_size on success. -ENOMEM, -ENOBUFS */
int ctl_text_freeze(struct file *file, const struct complaints *complaints, size_t *ret_size);

/* For one that also writes, where file::mark says that it has ended. -ENOMEM, -ENOBUFS */
ssize_t ctl_text_read(struct file *file, const struct complaints *complaints, void *data,
		      size_t size);
void ctl_text_forget(struct file *file); /* it is written */

#endif
