/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The descriptor of whoever makes a FIFO with O_EXCL.
 *
 * cp(1), install(1) and a shell with noclobber make files so, and the kernel lets no such open be
 * answered with a FIFO. They get a regular file that leads into it: the daemon writes what they
 * write, through a write end that is theirs.
 */
#ifndef IPCFS_DOOR_H
#define IPCFS_DOOR_H

#include "lib/kinds/pipe/pipe.h"

/* A door to a FIFO that is held by the time it is opened. -ENOMEM */
int door_new(struct pipe *pipe, struct channel **ret_door);

#endif
