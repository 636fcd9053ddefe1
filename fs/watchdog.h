/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * WatchdogSec= of systemd.service(5): the service manager ends a service that has not reported for
 * so long.
 */
#ifndef IPCFS_WATCHDOG_H
#define IPCFS_WATCHDOG_H

#include "lib/base/loop.h"

/*
 * From now on reports that the loop runs, if the service manager wants to know; otherwise
 * source->fd stays -1. The caller closes it. Fails with -errno.
 */
int watchdog_start(struct loop *loop, struct loop_source *source);

#endif
