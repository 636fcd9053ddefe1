/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The limits under which a mount starts: the machine's, and those that its options set.
 */
#ifndef IPCFS_BOUNDS_H
#define IPCFS_BOUNDS_H

#include <stddef.h>

#include "fs/options.h"
#include "lib/host/host.h"

/*
 * Checks that the machine sets no timeout for FUSE requests. With one the kernel would abort the
 * mount as soon as a read blocks for longer, and libfuse can't prevent that. Returns 0, or -ENOTSUP
 * after a line in the log.
 */
int bounds_check_timeouts(void);

/*
 * Returns how many bytes one request can read or write. The kernel cuts longer reads and writes at
 * a limit that the machine's administrator can set.
 */
size_t bounds_io_max(void);

/*
 * Raises the daemon's limit on open files: each open queue and region takes one of its descriptors.
 */
void bounds_raise_files(void);

/* Sets the limits for each user that the options give. The others keep their defaults. */
void bounds_set(struct host *host, const struct options *options);

/* Logs a warning if the kernel's limits will not allow FIFOs of the size -o pipe_capacity. */
void bounds_warn_pipes(const struct options *options);

#endif
