/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's log: stderr while it has a terminal, syslog afterwards.
 */
#ifndef IPCFS_LOG_H
#define IPCFS_LOG_H

#include <stdbool.h>

/* Logs to syslog(3) after this, or to stderr again. libfuse's own messages go the same way. */
void log_to_syslog(bool to_syslog);

/* Logs one line. `priority` is one of syslog(3). */
void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Routes libfuse's messages to this log. */
void log_init(void);

/*
 * While true, libfuse's errors are not logged; log_kept() then has the last of them, without a
 * newline, until it is kept anew. "": there was none.
 */
void log_keep_fuse(bool keep);
const char *log_kept(void);

#endif
