/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The readers of a topic, as its status tells of them.
 */
#ifndef IPCFS_TOLD_READERS_H
#define IPCFS_TOLD_READERS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/channel/row.h"

struct told_reader {
	uint64_t pid;    /* the process that opened it; 0: unknown */
	uint64_t behind; /* messages that it has not read */
	uint64_t missed; /* messages that it never gets */
};

/*
 * Adds reader-pids, reader-behind and reader-missed, the slowest reader first, and a thousand of
 * them at most; nothing if there are none. Sorts `readers`.
 */
void told_readers_add(struct row *row, struct told_reader *readers, size_t n);

#endif
