/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The limits under which a mount starts: those of the machine, and those of its options.
 */
#ifndef IPCFS_BOUNDS_H
#define IPCFS_BOUNDS_H

#include <stddef.h>

#include "fs/options.h"
#include "lib/host/host.h"

/*
 * With a request timeout the kernel aborts a mount on which a read blocks for longer, and libfuse
 * has no say in it. Fails with -ENOTSUP, after a line in the log, on a machine that has one.
 */
int bounds_check_timeouts(void);

/* The longest request, bytes: the kernel cuts them at what the machine's administrator has set. */
size_t bounds_io_max(void);

/* Raises the limit of open files: each open queue and region takes one of the daemon's. */
void bounds_raise_files(void);

/* Sets the host's limits of each user from the options. */
void bounds_set(struct host *host, const struct options *options);

/* Warns in the log where the kernel's limits will cut -o pipe_capacity. */
void bounds_warn_pipes(const struct options *options);

#endif
