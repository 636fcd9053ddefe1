/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one interface between the filesystem and the kernel's IPC.
 *
 * A kind is one sort of object (pipes, message queues, …): a const table in a file of its own,
 * named in lib/kinds/kinds.c. A space is the directory of all objects of a kind, a channel one
 * object, a file one open of it.
 *
 * Nothing here blocks. Where the object would sleep, -EAGAIN is returned, and whoever wants to
 * wait holds a transfer (lib/channel/transfer.h). The kind calls channel_wake() when trying again
 * may succeed. Errors are negative errno, those of the native call.
 */
#ifndef IPCFS_CHANNEL_H
#define IPCFS_CHANNEL_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "lib/host/caller.h"
#include "lib/host/host.h"
#include "lib/base/loop.h"
#include "lib/channel/settings.h"
#include "lib/channel/space.h"

struct transfer;

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
enum kind_trait {
	KIND_MESSAGES = 1 << 0,    /* a write is one message, a read takes one */
	KIND_SELECTS = 1 << 1,     /* NAME:N opens NAME with the selector N */
	KIND_OPENS_LATE = 1 << 2,  /* open(2) waits as a write of no bytes does */
	KIND_DIRECTORIES = 1 << 5, /* each object is a directory, made by mkdir(2) */
	/* What one who waits can't do another may: try them all. */
	KIND_SELECTIVE_READS = 1 << 3,
	KIND_SELECTIVE_WRITES = 1 << 4,
	KIND_SELECTIVE = KIND_SELECTIVE_READS | KIND_SELECTIVE_WRITES,
};

/* One object. Several names, inodes and files may share it; the last reference destroys it. */
struct channel {
	const struct kind *kind;
	struct space *space;
	enum channel_service service;
	unsigned traits; /* enum kind_trait: the kind's, unless it changes them */
	unsigned n_refs;
	unsigned n_files, n_readers, n_writers; /* open; for reading; for writing */
	uid_t descriptors_uid;  /* to whom the daemon's descriptors of it are charged */
	unsigned n_descriptors; /* and how many they are */
	int backing_fd;         /* CHANNEL_BACKED and MAPPED: open while any file is; else -1 */
	char *link;             /* CHANNEL_LINK, owned by the kind; else NULL */
	size_t message_max;     /* KIND_MESSAGES: the longest message, bytes; known while open */
	void *inode;            /* the one that stands for it in the mount, or the newest of many */
	void *listed;           /* the one that stands for a stream in lists */

	struct transfer *readers, *writers; /* held, in order of arrival */
	struct file *polled;                /* files on which somebody waits for readiness */
	struct loop_task wake;
	uint32_t woken; /* EPOLL* that channel_wake() has been called with */
	struct loop_task attend;
};

/* What a message read in part has left, or a text that was made for one reader. */
struct remainder {
	char *data;
	size_t size, offset;
};

/* One open file description. */
struct file {
	struct channel *channel; /* a reference */
	uid_t uid;               /* who opened it, and whom it is charged to */
	int flags;               /* of open(2) */
	struct selector selector;
	uint64_t mark; /* the kind's own */
	void *state;   /* likewise */
	struct remainder rest;

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

/* The objects of a kind. */
struct channel_ops {
	void (*destroy)(struct channel *channel);
	/* st_ino, st_mode, st_nlink, st_uid, st_gid, the times; st_size only where it is true. */
	int (*stat)(struct channel *channel, struct stat *ret_attr);
	/* `file` is the open file that the change came through, or NULL. */
	int (*change)(struct channel *channel, struct file *file, const struct stat *attr,
		      unsigned changes, struct caller *caller);
	/* It is counted in n_files while it opens, and no more when it is released. */
	int (*open)(struct file *file, struct caller *caller);
	/*
	 * CHANNEL_BACKED: a descriptor to change the size by, from the open file if there is one
	 * and otherwise as the caller may. The caller owns it.
	 */
	int (*open_writable)(struct channel *channel, struct file *file, struct caller *caller);
	void (*release)(struct file *file);
	/*
	 * Takes up to `size` bytes, or one message into a buffer that holds any of message_max.
	 * -EAGAIN. -EMSGSIZE: the next message is longer than was known; message_max says how long.
	 */
	ssize_t (*read)(struct file *file, void *data, size_t size, off_t offset);
	/* Accepts all or a part (streams), or all or nothing (messages). -EAGAIN. */
	ssize_t (*write)(struct file *file, const void *data, size_t size, off_t offset);
	/* EPOLL* that hold now; from here on each change is told by channel_wake(). */
	uint32_t (*poll)(struct file *file);
	/*
	 * Who waits (channel::readers, writers, polled) is not who waited before. For kinds that
	 * have no descriptor to be told by. NULL: nothing is to be done about it.
	 */
	void (*attend)(struct channel *channel);
	/* Prints a line `KEY VALUE` for each thing that only this kind has. NULL: nothing. */
	void (*status)(struct channel *channel, struct caller *caller, FILE *out);
	/* Prints what waits, without taking it. NULL: the kernel has no call for that. */
	int (*peek)(struct channel *channel, FILE *out);
	/*
	 * The object by which other processes have the other end, as stat(2) shows it in their
	 * /proc/PID/fd; 0 stays where there is none. NULL: all have the one of channel_ops::stat.
	 */
	void (*other_end)(struct channel *channel, dev_t *ret_dev, ino_t *ret_ino);
	/* Sets what `settings` gives of the parameters that are not fixed. NULL: all are. */
	int (*set)(struct channel *channel, const struct settings *settings, struct caller *caller);
};

struct kind {
	const char *path; /* of its directory in the mount, "queues" */
	unsigned traits;
	unsigned long selector_max;
	const char *map_path; /* what its maps begin with in /proc/PID/maps; NULL: a file's path */
	const struct parameter *parameters; /* what can be set; NULL: nothing */
	/* Opens the space of this host. -ENOENT, -EPERM, …: the machine has no such objects. */
	int (*open)(struct space **ret_space, struct host *host);
	struct channel_ops channel;
};

/* Is there a regular file behind it, which the kernel can have in the daemon's place? */
static inline bool channel_has_backing(const struct channel *channel)
{
	return channel->service == CHANNEL_BACKED || channel->service == CHANNEL_MAPPED;
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

/* For kinds: makes `channel`, all zeroes but for that, one of `space` with one reference. */
void channel_init(struct channel *channel, const struct kind *kind, struct space *space,
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
 * now. Only queues: who waits is tried after the present handler.
 */
void channel_wake(struct channel *channel, uint32_t events);

/* For transfers: others wait now than before. Only queues, as channel_wake() does. */
void channel_attend(struct channel *channel);

int channel_stat(struct channel *channel, struct stat *ret_attr);
int channel_change(struct channel *channel, struct file *file, const struct stat *attr,
		   unsigned changes, struct caller *caller);

/*
 * Opens the channel for the caller, who owns the file. -ENFILE: the user, or the daemon, has too
 * many files open.
 */
int channel_open(struct channel *channel, int flags, const struct selector *selector,
		 struct caller *caller, struct file **ret_file);
void channel_release(struct file *file); /* NULL is nothing */

/*
 * Reads at most `size` bytes; *ret_data points at them, in the host's scratch buffer or in the
 * file's remainder, until the next call. Returns their number, 0 at end-of-file, or -errno.
 * The rest of a message longer than `size` stays with the file for its next reads.
 */
ssize_t channel_read(struct file *file, size_t size, off_t offset, const void **ret_data);

/*
 * Writes, and returns how much was accepted, which for a stream may be less than `size`.
 * -EAGAIN also while others wait to write, so that nothing is put between their bytes.
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
