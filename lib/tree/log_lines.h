/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes to the log from a thread: whoever reads the log may be stuck.
 */
#ifndef IPCFS_LOG_LINES_H
#define IPCFS_LOG_LINES_H

struct caller;
struct host;

/* Logs each line of the text as a notice. The caller waits for that, a second at most. */
int log_lines(struct host *host, struct caller *caller, const char *text);

#endif
