/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process calls itself: a number alone may be that of another process by now.
 */
#ifndef IPCFS_PROCESS_NAME_H
#define IPCFS_PROCESS_NAME_H

#include <stdbool.h>
#include <sys/types.h>

/* Whether there is such a process, and its name in ps(1) is this one. */
bool process_has_name(pid_t pid, const char *name);

#endif
