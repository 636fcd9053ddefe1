/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon says: to stderr while it has a terminal, to syslog afterwards.
 */
#ifndef IPCFS_LOG_H
#define IPCFS_LOG_H

#include <stdbool.h>

/* From here on to syslog(3), or back to stderr. libfuse's own messages go the same way. */
void log_to_syslog(bool to_syslog);

/* One line; `priority` as of syslog(3). */
void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Routes libfuse's messages through here. */
void log_init(void);

#endif
