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
 * While `keep` is true, libfuse's errors are not logged: only the last one is kept. log_kept()
 * returns it without a newline, until log_keep_fuse(true) is called again; "" if there was none.
 */
void log_keep_fuse(bool keep);
const char *log_kept(void);

#endif
