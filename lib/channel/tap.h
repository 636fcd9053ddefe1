/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taps: watching what passes through a channel, from now on, without taking it.
 *
 * A channel that is watched has a struct tap, with one ring (lib/channel/ring.h) of what has passed
 * last, which all readers of the tap share. A slow reader misses some of it, and is told how much.
 * Watching costs one copy of what passes, however many readers there are. Nobody waits for a tap.
 *
 * What a read gives is a stream of records: a line `SECONDS.NANOSECONDS PID > BYTES`, the bytes,
 * and a newline. `>` is what was written into the object, `<` what was read from it. The pid is `-`
 * if it is unknown or not for the watcher. `missed N` is a line of its own.
 */
#ifndef IPCFS_TAP_H
#define IPCFS_TAP_H

#include "lib/channel/channel.h"

/*
 * What the watchers of a channel share, bytes; each of them is charged with all of it. The longest
 * write, HOST_IO_MAX, has to fit with its header. Of messages longer than this, which only queues
 * can have, a tap only says that it missed them.
 */
#define TAP_CAPACITY ((size_t)2 << 20)

struct tap_reader; /* one who watches */

/*
 * Begins to watch `target`, for `file`, an open file of another channel, which channel_wake() wakes
 * when there is something to read. `sees_all`: the pids of all users are shown, not only those of
 * the file's own. Fails with -ENOBUFS, -ENOMEM, -EMFILE or -ENFILE.
 *
 * A watched object stays in memory, but is not kept open. The tap ends when the object does: once
 * it is not open and can't be opened again.
 */
int tap_open(struct channel *target, struct file *file, bool sees_all, struct tap_reader **ret);
void tap_close(struct tap_reader *reader);

/*
 * For the next daemon, in place of tap_open(): goes on with what the file's record says. What the
 * reader has not read is told as missed, but a record of which it has read a part is completed.
 * Fails with -EPROTO or -ENOMEM.
 */
int tap_adopt(struct file *file, bool sees_all, struct tap_reader **ret);
/* For channel_ops::position. */
uint64_t tap_position(const struct file *file);

/*
 * Reads whole records as far as they fit, or a part of one that is longer than `size`. Fails with
 * -EAGAIN if there is nothing yet; returns 0 if the tap has ended.
 */
ssize_t tap_read(struct tap_reader *reader, void *data, size_t size);
uint32_t tap_poll(const struct tap_reader *reader); /* EPOLLIN and EPOLLHUP */

/* The functions below are for channels that have channel::tap. */

/*
 * Call tap_begin_write() before a write, and tap_note_write() with its result. What is read
 * meanwhile, straight from the writer's bytes, is shown after what was written.
 */
void tap_begin_write(struct channel *channel);
void tap_note_write(const struct file *file, const void *data, ssize_t result);

/* Who has read. */
struct tap_who {
	pid_t process; /* tap_process() */
	uid_t uid;
};

/*
 * Returns the process of a thread, or 0 if that is unknown. Call it before the thread gets its
 * answer: after that, the thread may be gone.
 */
pid_t tap_process(struct channel *channel, pid_t thread);

/* Notes a read with this result, whose bytes are in `iov`. */
void tap_note_read(struct channel *channel, const struct tap_who *who, const struct iovec *iov,
		   int n_iov, ssize_t result);

/* Ends the tap if the object has ended. */
void tap_look(struct channel *channel);

#endif
