/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A door: the regular file through which a process that made a FIFO with O_EXCL writes into it.
 *
 * cp(1), install(1) and a shell with noclobber make files with O_EXCL, and the kernel does not
 * accept a FIFO as the answer to such an open. So they get a regular file that leads into the FIFO:
 * the daemon passes on what they write, through a write end of their own.
 */
#ifndef IPCFS_DOOR_H
#define IPCFS_DOOR_H

#include "lib/kinds/pipe/pipe.h"

/* Makes a door to a FIFO, which must be held when the door is opened. Fails with -ENOMEM. */
int door_new(struct pipe *pipe, struct channel **ret_door);

/*
 * For the next daemon: makes the door of a record. Fails with -ENOMEM, or with -ESTALE if the
 * former one was killed while something was being written.
 */
int door_adopt(struct space *space, struct object_record *record, struct channel **ret_channel);

#endif
