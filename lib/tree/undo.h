/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command has made goes again, though nothing waits for the command any more.
 */
#ifndef IPCFS_UNDO_H
#define IPCFS_UNDO_H

#include "lib/channel/space.h"

/* Removes the object of a lasting space as the caller, as soon as that can be. Copies both. */
void undo_later(struct space *space, const char *name, struct caller *caller);

#endif
