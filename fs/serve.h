/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serving a mount, from the command line to the exit status.
 */
#ifndef IPCFS_SERVE_H
#define IPCFS_SERVE_H

#include "fs/options.h"

/*
 * Mounts, goes to the background if the options say so, and serves to the end. Returns the exit
 * status.
 */
int serve(const struct options *options);

#endif
