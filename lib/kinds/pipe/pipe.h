/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pipes: byte streams that outlive their writers. This is what the files of the folder share.
 *
 * There are two sorts. A FIFO is served by the kernel; the daemon keeps it alive (fifo.c), unless
 * it is a plain one. A served pipe is shown as a regular file, and the daemon serves its reads and
 * writes (served.c).
 */
#ifndef IPCFS_PIPE_H
#define IPCFS_PIPE_H

#include "lib/channel/kept_names.h"
#include "lib/kinds/pipe/hold.h"
#include "lib/kinds/pipe/pipe_record.h"
#include "lib/kinds/pipe/store.h"

enum pipe_parameter { PIPE_CAPACITY, PIPE_EOF, PIPE_KEEP, PIPE_SERVED };

/* Indices into the words of the parameters. */
enum { EOF_AUTO, EOF_NEVER };
enum { KEEP_NO, KEEP_YES };
enum { SERVED_KERNEL, SERVED_DAEMON };

extern const char *const pipe_eof_words[];
extern const char *const pipe_keep_words[];
extern const char *const pipe_served_words[];

#define PIPE_CAPACITY_DEFAULT ((size_t)1 << 20)

struct pipe {
	struct kept kept;
	size_t capacity; /* asked for, bytes */
	bool has_no_end; /* eof=never */

	/* FIFOs only. */
	bool is_kept;  /* keep=yes */
	uint64_t node; /* the nodeid under which the mount last showed it; 0: not yet shown */
	int64_t stuck; /* until this time its lock counts as held for good: clock_now() */
	struct fifo_hold hold;
	const struct channel *door; /* its door (door.h), not a reference; NULL: none */
	int n_bytes, size;          /* as the kernel reported them; size -1: not asked yet */

	/* Served pipes only. */
	struct store store; /* bytes that no reader was waiting for */
};

extern const struct channel_ops served_ops, fifo_ops;

struct pipe *pipe_from(struct channel *channel);

/* Shared by the channel_ops of both sorts. */
void pipe_destroy(struct channel *channel);
int pipe_stat(struct channel *channel, struct stat *ret_attr);
int pipe_change(struct channel *channel, struct file *file, const struct stat *attr,
		unsigned changes, struct caller *caller);

void pipe_save(struct channel *channel, struct object_record *record);
/* Makes a pipe of either sort. */
int pipe_adopt(struct space *space, struct object_record *record, struct channel **ret_channel);

/* For the channel_ops of FIFOs. */
void fifo_add_status(struct channel *channel, struct caller *caller, struct row *row);
int fifo_disuse(struct channel *channel, struct caller *caller, struct disuse *disuse);
/* Whether nothing is in the FIFO, or it is not held. */
bool fifo_is_empty(const struct fifo_hold *hold);

/* The one of the pipes' directory; NULL: FIFOs can't be kept. */
struct keeper *pipe_keeper(const struct space *space);

/* Sets whether the FIFO is kept. Only a kept FIFO can be peeked into. */
void pipe_set_kept(struct pipe *pipe, bool is_kept);

/*
 * For channel_ops::set. pipe_check_set() returns 0, or -EPERM if the caller may not do this.
 * pipe_take() then stores the values that the settings give.
 */
int pipe_check_set(struct pipe *pipe, const struct settings *settings, struct caller *caller);
void pipe_take(struct pipe *pipe, const struct settings *settings);

#endif
