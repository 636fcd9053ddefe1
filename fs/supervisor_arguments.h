/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line for the executable that goes on with a mount: that of the mount, with relative
 * paths made absolute, because the supervisor has left the directory where it was started.
 */
#ifndef IPCFS_SUPERVISOR_ARGUMENTS_H
#define IPCFS_SUPERVISOR_ARGUMENTS_H

struct options;

/*
 * Returns the arguments, NULL last, for execv(3). `own` is among them as it is, and may be changed
 * later. Returns NULL if there is no memory.
 */
char **supervisor_arguments(const struct options *options, char *own);
/* NULL: does nothing. */
void supervisor_arguments_free(char **argv, const char *own);

#endif
