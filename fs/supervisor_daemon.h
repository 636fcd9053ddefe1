/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a daemon begins, supervised or not.
 */
#ifndef IPCFS_SUPERVISOR_DAEMON_H
#define IPCFS_SUPERVISOR_DAEMON_H

#include "fs/supervisor.h"

/* Makes this process the daemon of that supervisor, or of none: 0. */
void supervisor_daemon_begin(struct supervisor_area *area, pid_t supervisor);

#endif
