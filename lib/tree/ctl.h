/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file ctl in the root of the mount. The lines written to it are commands (command.h); reading
 * it shows their grammar and the reader's own last error.
 *
 * A command runs with the rights of the process that opened the file, not of the process that
 * writes to it: the output of another user's program may end up here.
 */
#ifndef IPCFS_CTL_H
#define IPCFS_CTL_H

#include "lib/channel/channel.h"

/* Makes the file. The caller owns the reference. Fails with -ENOMEM. */
int ctl_new(struct space *root, struct channel **ret_channel);

#endif
