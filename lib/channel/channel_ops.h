/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kind does with its objects: one table for each kind, or for each sort of its objects.
 */
#ifndef IPCFS_CHANNEL_OPS_H
#define IPCFS_CHANNEL_OPS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

struct caller;
struct channel;
struct disuse;
struct file;
struct iovec;
struct object_record;
struct pieces;
struct row;
struct settings;
struct space;
struct xattr;

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

#endif
