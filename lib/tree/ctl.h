/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file ctl in the root of the mount: what is written to it are commands (command.h), and
 * reading it shows their grammar and the reader's own last error.
 *
 * A command is run with the rights of who opened the file, not of who writes to it: another's
 * output may end up here.
 */
#ifndef IPCFS_CTL_H
#define IPCFS_CTL_H

#include "lib/channel/channel.h"

/* The caller owns the reference. -ENOMEM */
int ctl_new(struct space *root, struct channel **ret_channel);

#endif
