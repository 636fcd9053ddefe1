/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that options name.
 */
#ifndef IPCFS_OPTION_FILES_H
#define IPCFS_OPTION_FILES_H

#include "fs/options.h"

/*
 * Makes the paths absolute. Fails with -EINVAL or -errno after a line in the log, also if the mount
 * would hide a file.
 */
int option_files_find(struct options *options);

#endif
