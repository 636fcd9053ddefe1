/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For each user, the last error in a line written to ctl, in words.
 */
#ifndef IPCFS_COMPLAINTS_H
#define IPCFS_COMPLAINTS_H

#include <stdio.h>
#include <sys/types.h>

struct complaint;

/* All zeroes: there are none. */
struct complaints {
	struct complaint *first; /* by uid, oldest first */
};

/*
 * Keeps a copy of `text` for the user, in place of an earlier complaint. If there is no memory,
 * nothing is kept, and the errno alone must do. When there are too many users, the oldest complaint
 * makes room.
 */
void complaints_keep(struct complaints *complaints, uid_t uid, unsigned line, const char *text);

void complaints_forget(struct complaints *complaints, uid_t uid);
void complaints_forget_all(struct complaints *complaints);

/* Prints the user's complaint, if there is one. */
void complaints_print(const struct complaints *complaints, uid_t uid, FILE *out);

#endif
