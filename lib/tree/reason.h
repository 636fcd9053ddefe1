/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why the call that a line stands for has failed, in words that say more than its errno.
 */
#ifndef IPCFS_REASON_H
#define IPCFS_REASON_H

struct channel;
struct line;

/*
 * What `error` (-errno) means for the line's object, or else the errno in words: a literal or
 * strerror(3)'s. `channel` NULL: there is none yet.
 */
const char *reason_find(const struct line *line, struct channel *channel, const char *verb,
			int error);

#endif
