/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was last wrong with a line of ctl, for each user.
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
 * Keeps a copy of `text` for the user, instead of what was there. Without memory nothing is kept:
 * the errno alone must do. Of many users those who have had theirs longest make room.
 */
void complaints_keep(struct complaints *complaints, uid_t uid, unsigned line, const char *text);

void complaints_forget(struct complaints *complaints, uid_t uid);
void complaints_forget_all(struct complaints *complaints);

/* Prints the user's, if there is one. */
void complaints_print(const struct complaints *complaints, uid_t uid, FILE *out);

#endif
