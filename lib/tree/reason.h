/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why the call that a line stands for has failed, in words that say more than its errno.
 */
#ifndef IPCFS_REASON_H
#define IPCFS_REASON_H

struct caller;
struct channel;
struct line;

/*
 * Returns what `error` (-errno) means for the line's object, or else the errno in words: a literal,
 * or the text of strerror(3). `channel` NULL: there is none yet. Users learn no more of an object
 * that is not theirs than that they may not.
 */
const char *reason_find(const struct line *line, struct channel *channel, struct caller *caller,
			const char *verb, int error);

#endif
