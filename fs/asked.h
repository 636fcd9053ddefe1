/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon is asked from outside the mount: by signals and by its configuration.
 */
#ifndef IPCFS_ASKED_H
#define IPCFS_ASKED_H

struct session;

/* Reads the configuration. Returns the number of faults, which have been logged. */
int asked_configure(struct session *session);
/* For the next daemon: reads what the former one had not come to. */
void asked_configure_rest(struct session *session);

/* Listens to signals, and for the supervisor's end; starts fs/watchdog.h. Fails with -errno. */
int asked_listen(struct session *session);

#endif
