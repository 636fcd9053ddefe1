/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an open file of ctl has got so far, and on whose behalf its lines run. Both outlive the
 * daemon: a write that was under way goes on behind the last line that was done.
 */
#ifndef IPCFS_CTL_OPENER_H
#define IPCFS_CTL_OPENER_H

#include "lib/channel/channel.h"
#include "lib/tree/command.h"

/* How far a file has come. */
struct ctl_progress {
	uint64_t n_lines;   /* lines done */
	uint64_t n_taken;   /* bytes written so far */
	uint64_t tail_size; /* bytes of the beginning of a line */
	uint64_t has_made;  /* the next line has made its object, but not all that it asks for */
};

/* In a block of the state. */
struct ctl_record {
	struct ctl_progress progress;
	uint64_t has_failed; /* the last line that was tried failed */
	uint64_t long_end;   /* n_taken after the last long write, or 0 */
	/* Of the caller, what struct file_record does not have. */
	uint64_t umask, has_queue_limit, queue_limit, seen, home, started;
	char tail[COMMAND_MAX]; /* the beginning of a line */
};

/* The state of an open file. */
struct ctl_opener {
	struct caller caller;
	struct ctl_record *record;
	/* Where the next line begins that the former daemon may have begun; UINT64_MAX: nowhere. */
	uint64_t resumed_at;
};

/* For channel_ops::open: sets file::state. Fails with -ENOMEM or -ENOBUFS. */
int ctl_opener_new(struct file *file, struct caller *caller);
/* For channel_ops::adopt_file: the same, from the file's record. Fails with -EPROTO or -ENOMEM. */
int ctl_opener_adopt(struct file *file);
void ctl_opener_free(struct file *file);

/*
 * Notes in one step that `n` bytes more have been accepted, and that this is how far the file has
 * come; n_taken is counted here.
 */
void ctl_opener_advance(struct file *file, const struct ctl_progress *next, size_t n);

/* Keeps the beginning of a line. Returns false if it is too long. */
bool ctl_opener_keep(struct file *file, const char *line, size_t length);

/* Whether the former daemon may have begun the line that the request in hand has reached. */
bool ctl_opener_is_resumed(const struct file *file);

/* For channel_ops::accepted. */
uint64_t ctl_opener_accepted(struct channel *channel);

#endif
