/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs the daemon in the background. The command that starts it returns when the mount answers, and
 * not before.
 */
#ifndef IPCFS_BACKGROUND_H
#define IPCFS_BACKGROUND_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Forks. The parent never returns: it waits for background_ready() and then exits with 0, or with 1
 * if the child ends first. Returns 0 in the child, which keeps stderr until it is ready, or -errno.
 */
int background_start(void);

/*
 * Keeps what background_ready() has to know in this memory, so that processes that have the memory
 * and the table of descriptors in common can each call it: the descriptor that it will write to, or
 * -1.
 */
void background_share(int32_t *fd);

/* The same in a process that goes on as the child: the memory is as it was. */
void background_adopt(int32_t *fd);

/* Whether this is the child, and has left the terminal. */
bool background_has_left(void);

/*
 * Call it in the child when the mount answers: it leaves the terminal, and lets the parent exit.
 * Does nothing without background_start().
 */
void background_ready(void);

#endif
