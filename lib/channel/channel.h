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
struct xattr;

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

/* Which attributes to change. A time's tv_nsec may be UTIME_NOW. */
enum channel_change {
	CHANGE_MODE = 1 << 0,
	CHANGE_UID = 1 << 1,
	CHANGE_GID = 1 << 2,
	CHANGE_SIZE = 1 << 3,
	CHANGE_ATIME = 1 << 4,
	CHANGE_MTIME = 1 << 5,
	CHANGE_NOW = 1 << 6, /* sets both times to now: write permission is enough */
};

/* How other processes have an object open, as /proc/PID/fd and /proc/PID/maps show it. */
struct footprint {
	dev_t dev;            /* 0: no other process can have the object open */
	ino_t ino;            /* as stat(2) of their descriptors reports */
	const char *map_path; /* prefix of their mappings' path; NULL: any path */
};

/*
 * The operations on an object. destroy, stat and change are always set; the comment on each of
 * the others says what NULL means. Only channel.c, file.c and xattr.c call them.
 *
 * Rights: before an open, and before a truncate(2) by name, the kernel has checked the mode that
 * stat() shows. Everything else the kind checks, or has the kernel check as the caller.
 */
struct channel_ops {
	unsigned traits; /* enum channel_trait */
	void (*destroy)(struct channel *channel);
	/*
	 * Fills in st_ino, st_mode, st_nlink, st_uid, st_gid, the times; st_size only if real; for
	 * a stream, st_blocks if its memory is known and may be told to everybody.
	 */
	int (*stat)(struct channel *channel, struct stat *ret_attr);
	/*
	 * Changes any attributes except the size, by the rules of chmod(2), chown(2) and
	 * utimensat(2). `file` is the open file that the change came through, or NULL.
	 */
	int (*change)(struct channel *channel, struct file *file, const struct stat *attr,
		      unsigned changes, struct caller *caller);
	/*
	 * Gives the object's access control list in the form of linux/posix_acl_xattr.h, and
	 * returns its size; with `size` 0, only returns the size. Fails with -ERANGE if the list is
	 * longer than `size`, or with -ENODATA if the object has only a mode. NULL: -ENODATA.
	 */
	ssize_t (*get_acl)(struct channel *channel, void *data, size_t size);
	/* Gives any other attribute, or the names of all, as the caller. NULL: -EOPNOTSUPP. */
	ssize_t (*get_xattr)(struct channel *channel, const char *name, const struct iovec *room,
			     struct caller *caller);
	/* Sets or removes an attribute, the ACL included. May be a job. NULL: -EOPNOTSUPP. */
	int (*set_xattr)(struct channel *channel, const struct xattr *xattr, struct caller *caller);
	/*
	 * Sets the size. If a size of 0 empties the object, discards what waits; this requires the
	 * right to read the object, else -EACCES. An open with O_TRUNC calls this only for backed
	 * files. May be a job. NULL: -EINVAL.
	 */
	int (*truncate)(struct channel *channel, struct file *file, off_t size,
			struct caller *caller);
	/*
	 * Opens the file, which counts in n_files from before open() until before release().
	 * O_CREAT in its flags means that the caller has just made the object. Sets
	 * channel::message_max if there are messages. May be a job. NULL: the object can't be
	 * opened, -EISDIR.
	 */
	int (*open)(struct file *file, struct caller *caller);
	/*
	 * Returns 0 if the opened file has reached the other end; -EAGAIN if it has not, and then
	 * channel_wake() follows; or the error if it never will. NULL: it always has.
	 */
	int (*opened)(struct file *file);
	void (*release)(struct file *file); /* NULL: nothing to do */
	/*
	 * Takes up to `size` bytes, or one message into a buffer with room for message_max. Fails
	 * with -EAGAIN if nothing is there yet. Fails with -EMSGSIZE if the next message is longer
	 * than was known; message_max now says how long. NULL: -EBADF.
	 */
	ssize_t (*read)(struct file *file, void *data, size_t size, off_t offset);
	/*
	 * Called once after each read() that gave a message: all of its bytes have reached a
	 * reader (`is_given`), or some never will, because the reader or the file has gone. For
	 * messages that have to be acknowledged or given back. NULL: nobody needs to know.
	 */
	void (*finished)(struct file *file, bool is_given);
	/*
	 * For bytes that wait in memory: finds where the bytes that read() would take lie, or the
	 * first CHANNEL_PIECES pieces of them, but takes nothing. take() follows for all of these
	 * bytes when the reader has them, before any other call on the channel. If take() does not
	 * follow, nothing was taken. Fails with -EOPNOTSUPP if read() has to be used. NULL: use
	 * read().
	 */
	ssize_t (*lend)(struct file *file, size_t size, struct pieces *pieces);
	void (*take)(struct file *file, size_t size); /* set if lend() is */
	/*
	 * Accepts all or a part of the bytes (streams), or all or none (messages). Fails with
	 * -EAGAIN if the write has to wait; with CHANNEL_WRITES_BY_JOB and a waiter, also with
	 * -EINPROGRESS. NULL: -EBADF.
	 */
	ssize_t (*write)(struct file *file, const void *data, size_t size, off_t offset);
	/*
	 * Returns the EPOLL* events that hold now, for the directions that the file is open for.
	 * After this, channel_wake() reports each change. NULL: always ready.
	 */
	uint32_t (*poll)(struct file *file);
	/*
	 * Called when the set of waiters (channel::readers, writers, polled) has changed. For kinds
	 * without a descriptor to listen to. NULL: nothing to do.
	 */
	void (*attend)(struct channel *channel);
	/*
	 * Adds to `row` what only this kind knows. What requires the right to read the object is
	 * added only for a caller with that right (caller_may()). NULL: nothing to add.
	 */
	void (*status)(struct channel *channel, struct caller *caller, struct row *row);
	/* Returns 0 if the caller may read the object now, else -EACCES. NULL: the mode decides. */
	int (*check_read)(struct channel *channel, struct caller *caller);
	/*
	 * Prints what waits without taking it. info/ has checked that the caller may read the
	 * object. May be a job. NULL: the kernel has no call for that.
	 */
	int (*peek)(struct channel *channel, struct caller *caller, FILE *out);
	/* Asks the kernel for what status() can't find out. May be a job. NULL: nothing to ask. */
	int (*measure)(struct channel *channel, struct caller *caller, const struct row *row);
	/*
	 * CHANNEL_NODE: called before the kernel learns that the name leads to inode `node`, by
	 * which host_nodes opens the object. After that the daemon does not learn of opens, so this
	 * makes the object ready for them. May be a job. NULL: the object is always ready.
	 */
	int (*show)(struct channel *channel, uint64_t node, struct caller *caller);
	/*
	 * CHANNEL_NODE: an open with O_EXCL and these flags has just made the object, and the
	 * kernel completes that open only on a regular file. Gives a reference to a "door": a
	 * regular file that reads and writes the object. The door may be the object itself, which
	 * no one else knows yet. NULL: -EOPNOTSUPP.
	 */
	int (*door)(struct channel *channel, int flags, struct channel **ret_door);
	/* Corrects the footprint taken from stat(). May be a job. NULL: it is right. */
	int (*footprint)(struct channel *channel, struct caller *caller,
			 struct footprint *footprint);
	/*
	 * Sets the parameters that `settings` gives, except fixed ones. Fails with -EPERM if the
	 * caller is not the owner. May be a job. NULL: all are fixed.
	 */
	int (*set)(struct channel *channel, const struct settings *settings, struct caller *caller);
	/*
	 * Says whether anybody still uses the object, which is not open through the mount, by
	 * filling in disuse::why. `since` is the latest of the times of stat() already. May be a
	 * job. NULL: an object of this kind is always in use.
	 */
	int (*disuse)(struct channel *channel, struct caller *caller, struct disuse *disuse);
	/* channel_reap(), with a last look at the moment of removal. NULL: without one. */
	int (*reap)(struct channel *channel, const char *name, const struct timespec *before,
		    struct caller *caller);
	/*
	 * What outlives the daemon (lib/channel/record.h). save() writes what adopt() needs into
	 * the channel's record: channel_save(). Set if adopt() is, except if nothing is to be
	 * written.
	 */
	void (*save)(struct channel *channel, struct object_record *record);
	/*
	 * In the next daemon: makes the channel that the record tells of, takes over its
	 * descriptors and gives a reference. `id` becomes channel::id. What the record says is
	 * checked, not trusted: fails with -ESTALE if there is no such object any more, or with
	 * -EPROTO if the record can't be right. NULL: the object ends with the daemon, and its open
	 * files then fail with -ESTALE.
	 */
	int (*adopt)(struct space *space, struct object_record *record,
		     struct channel **ret_channel);
	/*
	 * In place of open(), for an open file of the former daemon: takes over what is in its
	 * record (file::record). NULL: there is nothing beyond the fields of struct file.
	 */
	int (*adopt_file)(struct file *file);
	/*
	 * How many bytes or messages the file's readers have taken until now: take() changes it, in
	 * one store. For what waits in memory; set if lend() is.
	 */
	uint64_t (*position)(struct file *file);
	/*
	 * How many bytes the object has accepted until now, in the memory where they wait, not
	 * those that were handed to readers. write() changes it in one store. NULL: unknown, so
	 * what was being written when a daemon was killed may be written twice.
	 */
	uint64_t (*accepted)(struct channel *channel);
	/*
	 * In the next daemon, when the former one was killed in read(): finds out by journal::word
	 * whether the kernel had given it a message. Returns the message's size, with the bytes in
	 * `data` (host::scratch), or -EAGAIN if nothing was taken. NULL: always -EAGAIN.
	 */
	ssize_t (*recall)(struct file *file, void *data);
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
