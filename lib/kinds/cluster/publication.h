/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes: one message, published, and answered when the server has stored it.
 *
 * A write that may wait is held, and its message is a job of that request, so a signal ends it
 * (EINTR: it may have been sent) and a thousand of them wait at the same time. A write with
 * O_NONBLOCK gives EAGAIN while its message is under way; the same bytes written again on that file
 * join it, and get its result. Each message carries an id (Nats-Msg-Id), so one that is sent again
 * after the link was lost is stored once. If the stream is full, the message is tried again, at
 * first after some milliseconds, then every second: the server tells nobody when there is room.
 */
#ifndef IPCFS_PUBLICATION_H
#define IPCFS_PUBLICATION_H

#include <sys/types.h>

#include "lib/kinds/cluster/cluster.h"

/* The message of a file that is open with O_NONBLOCK: part of what file::state points to. */
struct publication;

/*
 * For channel_ops::write of all sorts. Fails with -EAGAIN or -EINPROGRESS as channel_ops::write
 * does, -EMSGSIZE if the message is longer than the object or the server allows, -EIDRM if the
 * object was removed, -ETIMEDOUT after -o cluster_timeout=. *pending belongs to the file and is
 * NULL at first.
 */
ssize_t publication_write(struct file *file, struct publication **pending, const void *data,
			  size_t size);
/* Whether a write on this file can be tried: the events for channel_ops::poll. */
uint32_t publication_poll(const struct file *file, const struct publication *pending);
/* For release(): gives the message up. It may have been sent. NULL: does nothing. */
void publication_free(struct publication *pending);

#endif
