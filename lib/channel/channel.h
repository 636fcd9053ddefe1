/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one interface between the filesystem and the kernel's IPC.
 *
 * A kind is one sort of object (pipes, message queues, …): a const table in a file of its own,
 * listed in lib/kinds/kinds.c. A space is the directory of all objects of a kind, a channel is one
 * object, and a file is one open of it.
 *
 * Nothing here blocks. Where the object would sleep, a call returns -EAGAIN. A request that waits
 * holds a transfer (lib/channel/transfer.h), and the kind calls channel_wake() when a retry may
 * succeed. A call that needs a thread or a process starts a job for the waiting request and returns
 * -EINPROGRESS (lib/host/job.h). Errors are negative errno values, those of the native call.
 */
#ifndef IPCFS_CHANNEL_H
#define IPCFS_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/base/loop.h"
#include "lib/channel/channel_ops.h"
#include "lib/channel/disuse.h"
#include "lib/channel/file.h"
#include "lib/channel/kind.h"
#include "lib/channel/row.h"
#include "lib/channel/settings.h"
#include "lib/channel/space.h"
#include "lib/channel/traffic.h"
#include "lib/host/caller.h"
#include "lib/host/host.h"

struct object_record;
struct tap;
struct transfer;

/* Who moves the bytes of a channel. */
enum channel_service {
	CHANNEL_STREAM, /* the daemon, without positions: bytes or messages are consumed */
	CHANNEL_FILE,   /* the daemon, at positions */
	/* The daemon, at positions; but the kernel serves mappings and read-only opens. */
	CHANNEL_MAPPED,
	CHANNEL_BACKED, /* the kernel, from a regular file of another filesystem */
	CHANNEL_NODE,   /* the kernel: a FIFO or socket that lives in the inode itself */
	CHANNEL_LINK,   /* no one: it is a symbolic link to channel::link */
};

/* What holds for all channels of a kind, or for one alone, if the kind sets channel::traits. */
enum channel_trait {
	CHANNEL_MESSAGES = 1 << 0, /* a write is one message, a read takes one */
	/* One waiter being stuck does not mean the next is: retry them all. */
	CHANNEL_SELECTIVE_READS = 1 << 1,
	CHANNEL_SELECTIVE_WRITES = 1 << 2,
	/* A job may do a held write, so the write is tried once more as soon as it is held. */
	CHANNEL_WRITES_BY_JOB = 1 << 3,
	/*
	 * Opening the object changes its owner and mode. The kernel must not cache the old owner
	 * and mode, not even for the moment it takes to pass a descriptor to another process.
	 */
	CHANNEL_CHANGES_BY_OPEN = 1 << 4,
	/* It does not matter where a read ends: several reads may serve one long read(2). */
	CHANNEL_BYTES = 1 << 5,
	CHANNEL_HAS_NO_PEEK = 1 << 6, /* as if channel_ops::peek were NULL */
	/*
	 * The object may have several channels, so locks on them would not exclude each other.
	 * Locking fails with -ENOLCK.
	 */
	CHANNEL_HAS_NO_LOCKS = 1 << 7,
	CHANNEL_STATUS_IS_SLOW = 1 << 8, /* too slow for each stat(2) of its info/ text */
	CHANNEL_HAS_TAP = 1 << 9,        /* all that passes, passes through the daemon: tap.h */
	/* All readers read the same, so a tap shows only what is written. */
	CHANNEL_TAPS_WRITES = 1 << 10,
	CHANNEL_LASTS_WHILE_OPEN = 1 << 11, /* the object ends when its last file is closed */
	CHANNEL_WRITES_ARE_SHORT = 1 << 12, /* writes wait only for a job, even with O_NONBLOCK */
	/*
	 * With CHANNEL_WRITES_BY_JOB: a job does every held write, and nothing else gets it going.
	 * So each is tried once as it is held, and however many wait, waking them costs nothing.
	 */
	CHANNEL_WRITES_ARE_JOBS = 1 << 13,
};

/* One object. Several names, inodes and files may share it; the last reference destroys it. */
struct channel {
	const struct channel_ops *ops;
	struct space *space;
	enum channel_service service;
	unsigned traits; /* enum channel_trait: those of ops, unless the kind changes them */
	uint64_t id;     /* in host::objects; 0: it has no record */
	struct object_record *record; /* NULL: it has none */
	unsigned n_refs;
	unsigned n_files, n_readers, n_writers; /* open files: all, for reading, for writing */
	uid_t descriptors_uid;  /* the user charged for the daemon's descriptors of the object */
	unsigned n_descriptors; /* the number of those descriptors */
	/* BACKED, MAPPED: the backing file, open or O_PATH, while the channel is open; else -1. */
	int backing_fd;
	char *link; /* CHANNEL_LINK: the target, owned by the kind; else NULL */
	/* CHANNEL_MESSAGES: the longest message as it is read, in bytes; known while open. */
	size_t message_max;
	void *inode;  /* the channel's inode in the mount, or the newest of many */
	void *listed; /* the inode that stands for a stream in listings */

	uint64_t locks, lock_files; /* heads of the lists in lock_table.c and lock_files.c */

	/* Held transfers, in order of arrival. */
	struct transfer *readers, *writers, *openers, *lockers;
	struct transfer *untried; /* the first of the writers that was not tried since it is held */
	struct file *polled;      /* the files that someone polls */
	struct tap *tap;          /* those who watch what passes: tap.h; NULL: nobody */
	struct traffic traffic;
	struct loop_task wake;
	uint32_t woken; /* EPOLL* bits that channel_wake() has collected */
	struct loop_task attend;
};

/* Whether a regular file is behind the channel, which the kernel can use in the daemon's place. */
static inline bool channel_has_backing(const struct channel *channel)
{
	return channel->service == CHANNEL_BACKED || channel->service == CHANNEL_MAPPED;
}

/* Whether what the mount reads and writes passes through the daemon, and counts as traffic. */
static inline bool channel_has_traffic(const struct channel *channel)
{
	return channel->service == CHANNEL_STREAM && channel->ops->read;
}

/*
 * Whether a read with this result has taken something. A connection's empty read is its end, any
 * other an empty message.
 */
static inline bool channel_has_passed(const struct channel *channel, ssize_t result)
{
	return result > 0 || (result == 0 && (channel->traits & CHANNEL_MESSAGES) &&
			      !(channel->traits & CHANNEL_LASTS_WHILE_OPEN));
}

/* Whether the channel is open and its size can change. A segment keeps its first size. */
static inline bool channel_has_size(const struct channel *channel)
{
	return channel->backing_fd >= 0 && channel->service != CHANNEL_MAPPED;
}

/* For kinds: sets up `channel`, which is otherwise all zeroes, in `space`, with one reference. */
void channel_init(struct channel *channel, const struct channel_ops *ops, struct space *space,
		  enum channel_service service);

struct channel *channel_ref(struct channel *channel);
void channel_unref(struct channel *channel); /* NULL: does nothing */

/* For kinds: charges `n` of the daemon's descriptors to the opener `uid`. Fails with -ENFILE. */
int channel_charge_descriptors(struct channel *channel, uid_t uid, unsigned n);
/* For kinds: ends the charge for all descriptors of this channel. */
void channel_uncharge_descriptors(struct channel *channel);

/*
 * For kinds: tells that reading (EPOLLIN) or writing (EPOLLOUT) may be possible now, that an
 * end-of-file may have come (EPOLLHUP), or that a lock may be free (EPOLLPRI). Only queues the
 * retry; waiters run after the current handler returns.
 */
void channel_wake(struct channel *channel, uint32_t events);

/* For transfers: tells that the set of waiters has changed. Only queues channel_ops::attend. */
void channel_attend(struct channel *channel);

/* Whether anyone waits to read, write or open the object, or polls it. */
bool channel_has_waiters(const struct channel *channel);

int channel_stat(struct channel *channel, struct stat *ret_attr);
int file_stat(const struct file *file, struct stat *ret_attr); /* st_size: what this file reads */
int channel_change(struct channel *channel, struct file *file, const struct stat *attr,
		   unsigned changes, struct caller *caller);
int channel_truncate(struct channel *channel, struct file *file, off_t size, struct caller *caller);

/*
 * Discards what waits in a stream or a FIFO. Fails with -EACCES unless the caller may read and
 * write it, or with -EINVAL if the object has a size, which is never cut. May be a job.
 */
int channel_empty(struct channel *channel, struct caller *caller);

/* Adds to `row` what only this kind knows, as far as the caller may see it. */
void channel_status(struct channel *channel, struct caller *caller, struct row *row);
/* Returns 0 if the caller may read the object, else -EACCES. */
int channel_check_read(struct channel *channel, struct caller *caller);
/* Whether channel_peek() is possible. */
bool channel_has_peek(const struct channel *channel);
/* Prints what waits without taking it. Fails with -EOPNOTSUPP if there is no way. */
int channel_peek(struct channel *channel, struct caller *caller, FILE *out);
/* Asks the kernel for what status() will add. Fails with -ETIMEDOUT if someone blocks that. */
int channel_measure(struct channel *channel, struct caller *caller, const struct row *row);
int channel_show(struct channel *channel, uint64_t node, struct caller *caller);
int channel_door(struct channel *channel, int flags, struct channel **ret_door);
/* Finds out how other processes have the object open. May be a job. */
int channel_footprint(struct channel *channel, struct caller *caller,
		      struct footprint *ret_footprint);
int channel_set(struct channel *channel, const struct settings *settings, struct caller *caller);

/*
 * Opens the channel for the caller, who owns the file. Fails with -ENFILE if the user, or the
 * daemon, has too many files open.
 */
int channel_open(struct channel *channel, int flags, const struct selector *selector,
		 struct caller *caller, struct file **ret_file);
int channel_opened(struct file *file);   /* channel_ops::opened */
void channel_release(struct file *file); /* NULL: does nothing */

/*
 * Reads at most `size` bytes. *ret_data points at them in the host's scratch buffer, until the next
 * call. Returns their number, 0 at end-of-file, or -errno. The rest of a message longer than `size`
 * stays with the file for its next reads.
 */
ssize_t channel_read(struct file *file, size_t size, off_t offset, const void **ret_data);

/*
 * Like channel_read(), but without copying what the kind can lend: *ret_pieces says where the bytes
 * lie. Call channel_take() when the reader has them, before any other call. If the reader can't be
 * answered, call channel_given(file, false) instead: what was lent waits for the next read.
 */
ssize_t channel_lend(struct file *file, size_t size, off_t offset, struct pieces *ret_pieces);
void channel_take(struct file *file, const struct pieces *pieces);

/*
 * After channel_read(), or in place of channel_take(): whether the bytes have reached the reader.
 * Of a message that has not, channel_ops::finished() is told, and then its rest is dropped.
 */
void channel_given(struct file *file, bool is_given);

/*
 * Writes, and returns how much was accepted, which for a stream may be less than `size`. Fails with
 * -EAGAIN also while other writers wait, so that nothing gets between their bytes, unless writes
 * are selective. That rule does not apply to a held write (file::waiter), which is tried only in
 * its turn. Fails with -EMSGSIZE if the message is too long; it was not sent.
 */
ssize_t channel_write(struct file *file, const void *data, size_t size, off_t offset);

uint32_t channel_poll(struct file *file);

/*
 * Calls polled(file) once, when the file may have become ready. Replaces the file's earlier
 * request; with `polled` NULL, only withdraws it.
 */
void channel_watch(struct file *file, void (*polled)(struct file *file), void *poll_data);

#endif
