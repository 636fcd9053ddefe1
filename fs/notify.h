/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a service manager is told (sd_notify(3)). Nothing if none started us, or if the build is
 * without libsystemd.
 */
#ifndef IPCFS_NOTIFY_H
#define IPCFS_NOTIFY_H

/* The mount answers; or again, after notify_reloading(). */
void notify_ready(void);

void notify_reloading(void);

void notify_stopping(void);

#endif
