/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pipes: byte streams that outlive whoever writes them. What the files of this folder share.
 *
 * There are two sorts. A FIFO is served by the kernel; the daemon keeps it alive (fifo.c), unless
 * it is a plain one. A served pipe is a regular file that the daemon reads and writes (served.c).
 */
#ifndef IPCFS_PIPE_H
#define IPCFS_PIPE_H

#include "lib/channel/kept_names.h"
#include "lib/kinds/pipe/hold.h"
#include "lib/kinds/pipe/store.h"

enum pipe_parameter { PIPE_CAPACITY, PIPE_EOF, PIPE_KEEP, PIPE_SERVED };

/* What the words of the parameters stand for, in their order. */
enum { EOF_AUTO, EOF_NEVER };
enum { KEEP_NO, KEEP_YES };
enum { SERVED_KERNEL, SERVED_DAEMON };

extern const char *const pipe_eof_words[];
extern const char *const pipe_keep_words[];
extern const char *const pipe_served_words[];

#define PIPE_CAPACITY_DEFAULT ((size_t)1 << 20)

struct pipe {
	struct kept kept;
	size_t capacity; /* wanted, bytes */
	bool has_no_end; /* eof=never */

	/* Of a FIFO. */
	bool is_kept;  /* keep=yes */
	uint64_t node; /* by which the mount has shown it last; 0: not yet */
	int64_t stuck; /* until when its lock is taken to be somebody's for good: clock_now() */
	struct fifo_hold hold;
	int n_bytes, size; /* as the kernel had them when it was asked; size -1: it was not */

	/* Of a served one. */
	struct store store; /* what nobody has waited for */
	uint64_t n_opened;  /* times that a writer has opened it, counted from 1 */
};

extern const struct channel_ops served_ops, fifo_ops;

struct pipe *pipe_from(struct channel *channel);

/* What both sorts of channel_ops have in common. */
void pipe_destroy(struct channel *channel);
int pipe_stat(struct channel *channel, struct stat *ret_attr);
int pipe_change(struct channel *channel, struct file *file, const struct stat *attr,
		unsigned changes, struct caller *caller);

/* A FIFO that is kept can be looked into, and one that is not can't. */
void pipe_set_kept(struct pipe *pipe, bool is_kept);

/* For channel_ops::set: may the caller do this? -EPERM. And then: takes what is given. */
int pipe_check_set(struct pipe *pipe, const struct settings *settings, struct caller *caller);
void pipe_take(struct pipe *pipe, const struct settings *settings);

#endif
