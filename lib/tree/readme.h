/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file README in the root of the mount: how to use it.
 */
#ifndef IPCFS_README_H
#define IPCFS_README_H

#include "lib/channel/channel.h"

/* Makes the file. The caller owns the reference. Fails with -ENOMEM. */
int readme_new(struct space *root, struct channel **ret_channel);

#endif
