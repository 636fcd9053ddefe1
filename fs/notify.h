/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages to a service manager (sd_notify(3)). They do nothing if none started us, or if the build
 * is without libsystemd.
 */
#ifndef IPCFS_NOTIFY_H
#define IPCFS_NOTIFY_H

/* Reports that the mount answers, or, after notify_reloading(), that the reload has ended. */
void notify_ready(void);

void notify_reloading(void);

void notify_stopping(void);

/* fs/watchdog.h */
void notify_alive(void);

#endif
