/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removes what a command has made, when nothing waits for the command any more.
 */
#ifndef IPCFS_UNDO_H
#define IPCFS_UNDO_H

#include "lib/channel/space.h"

/*
 * Removes an object of a lasting space as the caller, as soon as possible. Copies name and caller.
 */
void undo_later(struct space *space, const char *name, struct caller *caller);

#endif
