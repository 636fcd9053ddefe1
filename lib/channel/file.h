/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One open file of a channel, and the bytes that pass through it.
 */
#ifndef IPCFS_FILE_H
#define IPCFS_FILE_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "lib/channel/space.h"

struct buffer;
struct channel;
struct file_record;
struct waiter;

/* The rest of a message read in part, or a text that was made for one open file. */
struct remainder {
	char *data;
	size_t size;
	union {
		size_t offset; /* how much of it was read */
		int64_t made;  /* of a frozen one: when, CLOCK_REALTIME, nanoseconds */
	};
};

/* The bytes that a read has found, where they lie: CHANNEL_PIECES pieces at most. */
#define CHANNEL_PIECES 32
struct pieces {
	struct iovec iov[CHANNEL_PIECES];
	int n;
	size_t lent;   /* bytes that channel_take() still has to take */
	pid_t process; /* that reads, for the channel's tap; set only if there is one */
};

/* One open file description. */
struct file {
	struct channel *channel; /* a reference */
	uint64_t id;             /* in host::files; 0: it has no record */
	struct file_record *record;
	uid_t uid;          /* the opener, who is charged for the file */
	gid_t gid;          /* the opener's */
	int flags;          /* of open(2); O_NONBLOCK is as at the last read or write */
	bool is_stream;     /* has no positions; always true for CHANNEL_STREAM */
	bool is_frozen;     /* `rest` is the whole content for good, and is read at positions */
	bool is_unfinished; /* channel_ops::finished() has still to be called */
	bool is_rest_read;  /* a reader is being given the last of `rest` */
	bool keeps_text;    /* the kind itself reads `rest`, and decides when it is over */
	void *state;        /* the kind's own */
	struct remainder rest;
	/* During a call: the waiter of the held request, for a job that it starts; or NULL. */
	struct waiter *waiter;
	/* During a read or write: the thread that asks for it, or 0 if unknown; and its user. */
	pid_t pid;
	uid_t pid_uid;
	/* During a write: the buffer that holds its bytes, for buffer_keep(); or NULL. */
	struct buffer *buffer;

	/* Called once, when the file may be ready. The poller sets and owns both fields. */
	void (*polled)(struct file *file);
	void *poll_data;
	struct file *prev, *next; /* channel::polled */
};

static inline bool file_reads(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_WRONLY;
}

static inline bool file_writes(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_RDONLY;
}

/*
 * For kinds: gives the file its own content, which is freed when the file is released or gets other
 * content. Takes ownership of `content`, even when failing with -ENOBUFS.
 */
int file_keep(struct file *file, char *content, size_t size);
/*
 * For the next daemon: has the file read these bytes first, before what waits in the object. Takes
 * the place of the rest of a message that it has.
 */
void file_return(struct file *file, const char *data, size_t size);
/*
 * For the next daemon: takes `size` bytes of the rest of a message that a reader was given, unless
 * they have been taken: `offset` is where they began.
 */
void file_take_rest(struct file *file, size_t offset, size_t size);
/* Like file_keep(), but the content stays for good: file::is_frozen. */
int file_freeze(struct file *file, char *content, size_t size);

#endif
