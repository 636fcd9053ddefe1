/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one interface between the filesystem and the kernel's IPC.
 *
 * A kind is one sort of object (pipes, message queues, …): a const table in a file of its own,
 * named in lib/kinds/kinds.c. A space is the directory of all objects of a kind, a channel one
 * object, a file one open of it.
 *
 * Nothing here blocks. Where the object would sleep, a call returns -EAGAIN; a request that waits
 * holds a transfer (lib/channel/transfer.h), and the kind calls channel_wake() when trying again
 * may succeed. A call that needs a thread or a process starts a job for the request that waits:
 * -EINPROGRESS (lib/host/job.h). Errors are negative errno, those of the native call.
 */
#ifndef IPCFS_CHANNEL_H
#define IPCFS_CHANNEL_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "lib/base/loop.h"
#include "lib/channel/kind.h"
#include "lib/channel/row.h"
#include "lib/channel/settings.h"
#include "lib/channel/space.h"
#include "lib/host/caller.h"
#include "lib/host/host.h"

struct transfer;
struct xattr;

/* Who moves the bytes of a channel. */
enum channel_service {
	CHANNEL_STREAM, /* the daemon, without positions: bytes or messages are consumed */
	CHANNEL_FILE,   /* the daemon, at positions */
	/* The daemon, at positions; but maps, and what is open only for reading, the kernel. */
	CHANNEL_MAPPED,
	CHANNEL_BACKED, /* the kernel, from a regular file of another filesystem */
	CHANNEL_NODE,   /* the kernel: a FIFO or socket that lives in the inode itself */
	CHANNEL_LINK,   /* nobody: it is a symbolic link to channel::link */
};

/* What is true of the channels of a kind; of one alone where the kind finds out only then. */
enum channel_trait {
	CHANNEL_MESSAGES = 1 << 0, /* a write is one message, a read takes one */
	/* One waiter being stuck does not mean that the next is: retry them all. */
	CHANNEL_SELECTIVE_READS = 1 << 1,
	CHANNEL_SELECTIVE_WRITES = 1 << 2,
	/* A held write may be done by a job: it is tried once more as soon as it is held. */
	CHANNEL_WRITES_BY_JOB = 1 << 3,
	/*
	 * Its owner and mode are others once it is open, so nobody may go by what they were, not
	 * even for as short a time as a descriptor takes from one process to another.
	 */
	CHANNEL_CHANGES_BY_OPEN = 1 << 4,
	/* Where one read ends is of no importance: a long read(2) may be served by several. */
	CHANNEL_BYTES = 1 << 5,
	CHANNEL_HAS_NO_PEEK = 1 << 6, /* as if there were no channel_ops::peek */
	/* It is not the only one of its object, so locks would not meet: -ENOLCK. */
	CHANNEL_HAS_NO_LOCKS = 1 << 7,
	CHANNEL_STATUS_IS_DEAR = 1 << 8, /* too much for each stat(2) of its text in info/ */
};

/* One object. Several names, inodes and files may share it; the last reference destroys it. */
struct channel {
	const struct channel_ops *ops;
	struct space *space;
	enum channel_service service;
	unsigned traits; /* enum channel_trait: those of ops, unless the kind changes them */
	unsigned n_refs;
	unsigned n_files, n_readers, n_writers; /* open; for reading; for writing */
	uid_t descriptors_uid;  /* to whom the daemon's descriptors of it are charged */
	unsigned n_descriptors; /* and how many they are */
	int backing_fd;         /* BACKED and MAPPED: open, or O_PATH, while any file is; else -1 */
	char *link;             /* CHANNEL_LINK, owned by the kind; else NULL */
	/* CHANNEL_MESSAGES: the longest message, bytes, as text too; known while open. */
	size_t message_max;
	void *inode;  /* the one that stands for it in the mount, or the newest of many */
	void *listed; /* the one that stands for a stream in lists */

	uint64_t locks, lock_files; /* the first of each: lib/channel/locks.c */

	/* Held, in order of arrival. */
	struct transfer *readers, *writers, *openers, *lockers;
	struct file *polled; /* files on which somebody waits for readiness */
	struct loop_task wake;
	uint32_t woken; /* EPOLL* that channel_wake() has been called with */
	struct loop_task attend;
};

/* What a message read in part has left, or a text that was made for one open file. */
struct remainder {
	char *data;
	size_t size, offset;
};

/* Bytes that a read has found, where they lie. */
#define CHANNEL_PIECES 32
struct pieces {
	struct iovec iov[CHANNEL_PIECES];
	int n;
	size_t lent; /* bytes that are still to be taken */
};

/* One open file description. */
struct file {
	struct channel *channel; /* a reference */
	uid_t uid;               /* who opened it, and whom it is charged to */
	gid_t gid;               /* likewise */
	int flags;               /* of open(2) */
	bool is_stream;          /* without positions; of CHANNEL_STREAM all are */
	bool is_frozen;          /* `rest` is all that there is to read, at positions, for good */
	struct selector selector;
	uint64_t mark; /* the kind's own */
	void *state;   /* likewise */
	struct remainder rest;
	/* During a call: the held request that it is made for, and may start a job for; or NULL. */
	struct waiter *waiter;
	/* During a write: the thread that writes, 0 where it is unknown. */
	pid_t pid;
	/* During a write: where its bytes lie, and may be kept (buffer_keep()); or NULL. */
	struct buffer *buffer;

	/* One call of `polled` when the file may be ready; set and owned by the one who polls. */
	void (*polled)(struct file *file);
	void *poll_data;
	struct file *prev, *next; /* channel::polled */
};

/* Which attributes to change. A time's tv_nsec may be UTIME_NOW. */
enum channel_change {
	CHANGE_MODE = 1 << 0,
	CHANGE_UID = 1 << 1,
	CHANGE_GID = 1 << 2,
	CHANGE_SIZE = 1 << 3,
	CHANGE_ATIME = 1 << 4,
	CHANGE_MTIME = 1 << 5,
	CHANGE_NOW = 1 << 6, /* both times, to the present: whoever may write may do this */
};

/* How other processes have an object open, as /proc/PID/fd and /proc/PID/maps show it. */
struct footprint {
	dev_t dev;            /* 0: they can't */
	ino_t ino;            /* by stat(2) of their descriptor */
	const char *map_path; /* what the path of its maps begins with; NULL: anything */
};

/*
 * What can be done with an object. destroy, stat and change are there always; which of the others
 * may be NULL, and what that means, stands beside them. Only channel.c and file.c call them.
 *
 * Rights: before an open, and before a truncate(2) by name, the kernel has checked the mode that
 * stat() shows. Everything else the kind checks, or has the kernel check as the caller.
 */
struct channel_ops {
	unsigned traits; /* enum channel_trait */
	void (*destroy)(struct channel *channel);
	/* st_ino, st_mode, st_nlink, st_uid, st_gid, the times; st_size only where it is true. */
	int (*stat)(struct channel *channel, struct stat *ret_attr);
	/*
	 * All but the size, by the rules of chmod(2), chown(2) and utimensat(2). `file` is the open
	 * file that the change came through, or NULL.
	 */
	int (*change)(struct channel *channel, struct file *file, const struct stat *attr,
		      unsigned changes, struct caller *caller);
	/*
	 * Gives the object's access control list as linux/posix_acl_xattr.h has it, and its size;
	 * with `size` 0 the size alone. -ERANGE: it is longer than `size`. -ENODATA, or NULL: the
	 * mode says all.
	 */
	ssize_t (*get_acl)(struct channel *channel, void *data, size_t size);
	/* As the caller: one of its other attributes, or all names. NULL: -EOPNOTSUPP. */
	ssize_t (*get_xattr)(struct channel *channel, const char *name, const struct iovec *room,
			     struct caller *caller);
	/* Sets one, the list too, or takes it away. May be a job. NULL: -EOPNOTSUPP. */
	int (*set_xattr)(struct channel *channel, const struct xattr *xattr, struct caller *caller);
	/*
	 * Sets the size; or, where 0 empties the object, throws away what waits: that takes the
	 * right to read it, -EACCES. Not called for an open with O_TRUNC, but of backed files. May
	 * be a job. NULL: -EINVAL.
	 */
	int (*truncate)(struct channel *channel, struct file *file, off_t size,
			struct caller *caller);
	/*
	 * The file is counted in n_files while it opens, and no longer when it is released. With
	 * O_CREAT in its flags the caller has just made the object. Sets channel::message_max, if
	 * there are messages. May be a job.
	 * NULL: the object can't be opened, -EISDIR.
	 */
	int (*open)(struct file *file, struct caller *caller);
	/*
	 * Is the file, which open() has opened, through to whatever is at the other end? 0, or
	 * -EAGAIN until channel_wake(), or why it never will be. NULL: it always is.
	 */
	int (*opened)(struct file *file);
	void (*release)(struct file *file); /* NULL: nothing */
	/*
	 * Takes up to `size` bytes, or one message into a buffer that holds any of message_max.
	 * -EAGAIN. -EMSGSIZE: the next message is longer than was known; message_max says how long.
	 * NULL: -EBADF.
	 */
	ssize_t (*read)(struct file *file, void *data, size_t size, off_t offset);
	/*
	 * For bytes that wait in memory: finds what read() would take, or the first CHANNEL_PIECES
	 * of it, where it lies, and takes nothing. take() follows, for all of it, once the reader
	 * has it, and before anything else is done with the channel; or it does not follow, and
	 * nothing was taken. -EOPNOTSUPP, or NULL: read() has to do.
	 */
	ssize_t (*lend)(struct file *file, size_t size, struct pieces *pieces);
	void (*take)(struct file *file, size_t size); /* there if lend() is */
	/*
	 * Accepts all or a part (streams), or all or nothing (messages). -EAGAIN; with
	 * CHANNEL_WRITES_BY_JOB and a waiter also -EINPROGRESS. NULL: -EBADF.
	 */
	ssize_t (*write)(struct file *file, const void *data, size_t size, off_t offset);
	/*
	 * EPOLL* that hold now, of the ways that the file is open for; from here on each change is
	 * told by channel_wake(). NULL: always ready.
	 */
	uint32_t (*poll)(struct file *file);
	/*
	 * The set of waiters (channel::readers, writers, polled) has changed. For kinds without a
	 * descriptor to listen to. NULL: nothing.
	 */
	void (*attend)(struct channel *channel);
	/*
	 * Adds what only this kind has: what takes the right to read it only for who has that
	 * (caller_may()). NULL: nothing.
	 */
	void (*status)(struct channel *channel, struct caller *caller, struct row *row);
	/* May the caller read it, as things are now? 0, -EACCES. NULL: the mode says all. */
	int (*check_read)(struct channel *channel, struct caller *caller);
	/*
	 * Prints what waits, without taking it; for a reader who may read it (info/ has looked).
	 * May be a job. NULL: the kernel has no call for that.
	 */
	int (*peek)(struct channel *channel, struct caller *caller, FILE *out);
	/* Asks the kernel for what status() can't know by itself. May be a job. NULL: nothing. */
	int (*measure)(struct channel *channel, struct caller *caller, const struct row *row);
	/*
	 * CHANNEL_NODE: the kernel is about to learn that the name leads to inode `node`, by which
	 * host_nodes opens it, and from then on the daemon hears of no open. Makes the object ready
	 * for that. May be a job. NULL: it always is.
	 */
	int (*show)(struct channel *channel, uint64_t node, struct caller *caller);
	/*
	 * CHANNEL_NODE, just made by an open with O_EXCL and these flags, which the kernel goes
	 * through with only if it is a regular file: gives one that reads and writes the object, as
	 * a reference; it may be the object itself, of which nobody knows yet. NULL: -EOPNOTSUPP.
	 */
	int (*door)(struct channel *channel, int flags, struct channel **ret_door);
	/* Changes what stat() said of how others have the object. May be a job. NULL: nothing. */
	int (*footprint)(struct channel *channel, struct caller *caller,
			 struct footprint *footprint);
	/*
	 * Sets what `settings` gives of the parameters that are not fixed, for the owner: -EPERM.
	 * May be a job. NULL: all are fixed.
	 */
	int (*set)(struct channel *channel, const struct settings *settings, struct caller *caller);
};

/* Is there a regular file behind it, which the kernel can have in the daemon's place? */
static inline bool channel_has_backing(const struct channel *channel)
{
	return channel->service == CHANNEL_BACKED || channel->service == CHANNEL_MAPPED;
}

/* Is it open, with a size that can be changed? A segment keeps that which it was made with. */
static inline bool channel_has_size(const struct channel *channel)
{
	return channel->backing_fd >= 0 && channel->service != CHANNEL_MAPPED;
}

static inline bool file_reads(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_WRONLY;
}

static inline bool file_writes(const struct file *file)
{
	return (file->flags & O_ACCMODE) != O_RDONLY;
}

/*
 * For kinds: gives the file a content of its own, to be freed when it is released or replaced.
 * Takes over `content`, also when it fails: -ENOBUFS.
 */
int file_keep(struct file *file, char *content, size_t size);
/* The same for good, as file::is_frozen has it. */
int file_freeze(struct file *file, char *content, size_t size);

/* For kinds: makes `channel`, all zeroes but for that, one of `space` with one reference. */
void channel_init(struct channel *channel, const struct channel_ops *ops, struct space *space,
		  enum channel_service service);

struct channel *channel_ref(struct channel *channel);
void channel_unref(struct channel *channel); /* NULL is nothing */

/*
 * For kinds: charges descriptors of the daemon's for this channel to the user who opens it; and
 * takes all of them back. -ENFILE
 */
int channel_charge_descriptors(struct channel *channel, uid_t uid, unsigned n);
void channel_uncharge_descriptors(struct channel *channel);

/*
 * For kinds: reading (EPOLLIN), writing (EPOLLOUT) or an end-of-file (EPOLLHUP) may be possible
 * now; or that a lock is free (EPOLLPRI). Only queues: waiters are retried after the present
 * handler.
 */
void channel_wake(struct channel *channel, uint32_t events);

/* For transfers: the set of waiters has changed. Only queues, as channel_wake() does. */
void channel_attend(struct channel *channel);

/* Does anybody wait to read, write or open it, or poll it? */
bool channel_has_waiters(const struct channel *channel);

int channel_stat(struct channel *channel, struct stat *ret_attr);
int file_stat(const struct file *file, struct stat *ret_attr); /* with the size of what it reads */
int channel_change(struct channel *channel, struct file *file, const struct stat *attr,
		   unsigned changes, struct caller *caller);
int channel_truncate(struct channel *channel, struct file *file, off_t size, struct caller *caller);

/*
 * Throws away what waits in a stream or a FIFO, for whoever may read and write it: -EACCES. What
 * has a size is never cut: -EINVAL. May be a job.
 */
int channel_empty(struct channel *channel, struct caller *caller);

/* Adds to `row` what only this kind has, as far as the caller may know it. */
void channel_status(struct channel *channel, struct caller *caller, struct row *row);
/* May the caller read it? -EACCES */
int channel_check_read(struct channel *channel, struct caller *caller);
/* Prints what waits, without taking it, if there is a way. -EOPNOTSUPP */
bool channel_has_peek(const struct channel *channel);
int channel_peek(struct channel *channel, struct caller *caller, FILE *out);
/* For a row that is to be filled. -ETIMEDOUT: somebody keeps it from being told. */
int channel_measure(struct channel *channel, struct caller *caller, const struct row *row);
int channel_show(struct channel *channel, uint64_t node, struct caller *caller);
int channel_door(struct channel *channel, int flags, struct channel **ret_door);
/* May be a job. */
int channel_footprint(struct channel *channel, struct caller *caller,
		      struct footprint *ret_footprint);
int channel_set(struct channel *channel, const struct settings *settings, struct caller *caller);

/*
 * Opens the channel for the caller, who owns the file. -ENFILE: the user, or the daemon, has too
 * many files open.
 */
int channel_open(struct channel *channel, int flags, const struct selector *selector,
		 struct caller *caller, struct file **ret_file);
int channel_opened(struct file *file);   /* channel_ops::opened */
void channel_release(struct file *file); /* NULL is nothing */

/*
 * Reads at most `size` bytes; *ret_data points at them, in the host's scratch buffer, until
 * the next call. Returns their number, 0 at end-of-file, or -errno.
 * The rest of a message longer than `size` stays with the file for its next reads.
 */
ssize_t channel_read(struct file *file, size_t size, off_t offset, const void **ret_data);

/*
 * The same, but what the kind can lend is not copied: *ret_pieces says where it lies. Call
 * channel_take() when the reader has it, before any other call; if he can't be told, don't, and it
 * waits for the next one.
 */
ssize_t channel_lend(struct file *file, size_t size, off_t offset, struct pieces *ret_pieces);
void channel_take(struct file *file, const struct pieces *pieces);

/*
 * Writes, and returns how much was accepted, which for a stream may be less than `size`.
 * -EAGAIN also while others wait to write, so that nothing is put between their bytes, unless
 * writes are selective; but a held write (file::waiter) is tried only when it is its turn.
 * -EMSGSIZE: the message is too long and was not sent.
 */
ssize_t channel_write(struct file *file, const void *data, size_t size, off_t offset);

uint32_t channel_poll(struct file *file);

/*
 * Calls polled(file) once when the file may have become ready; replaces what was asked for
 * before. `polled` NULL takes it back.
 */
void channel_watch(struct file *file, void (*polled)(struct file *file), void *poll_data);

#endif
