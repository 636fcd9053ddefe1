/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options that have a value: KEY=VALUE.
 */
#ifndef IPCFS_OPTION_VALUES_H
#define IPCFS_OPTION_VALUES_H

#include "fs/options.h"

/* How the value is parsed; fuse_opt knows the option by this number. */
enum option_key {
	KEY_NUMBER,
	KEY_WITHOUT,
	KEY_FOREIGN,
	KEY_PIPE,
	KEY_IDLE,
	KEY_SUPERVISE,
	KEY_CLUSTER,
	KEY_CLUSTER_TIMEOUT,
};

/* Takes KEY=VALUE. Fails with -1 after a line in the log, or with -ENOMEM. */
int option_value_take(struct options *options, enum option_key key, const char *arg);

#endif
