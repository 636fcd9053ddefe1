/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For each user, the last error in a line written to ctl, in words, and the last report of a line
 * that had something to tell. They outlive the daemon, in tree_record::complaints.
 */
#ifndef IPCFS_COMPLAINTS_H
#define IPCFS_COMPLAINTS_H

#include <stdio.h>
#include <sys/types.h>

struct host;

/* For the next daemon: takes over the texts that the records name. */
void complaints_adopt(struct host *host);

/*
 * Keeps a copy of `text` for the user, in place of an earlier complaint. If there is no memory,
 * nothing is kept, and the errno alone must do. When there are too many users, the oldest complaint
 * makes room.
 */
void complaints_keep(struct host *host, uid_t uid, unsigned line, const char *text);

/* The same for a report: lines, in which names are quoted already. */
void complaints_keep_report(struct host *host, uid_t uid, const char *text);

/* Forgets the user's complaint, but not the report. */
void complaints_forget(struct host *host, uid_t uid);
void complaints_forget_all(struct host *host);

/* Prints the user's complaint and report, as far as there are any. */
void complaints_print(const struct host *host, uid_t uid, FILE *out);

#endif
