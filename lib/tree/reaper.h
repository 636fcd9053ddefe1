/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of the configuration that are repeated: `reap KIND every=10m`.
 */
#ifndef IPCFS_REAPER_H
#define IPCFS_REAPER_H

#include <stddef.h>
#include <stdint.h>

struct host;

/*
 * Runs the line every `seconds`, the first time after that many, with the daemon's own rights. A
 * run removes only what the run before it has found unused as well (sightings.h). A run that fails
 * is logged. Replaces an equal line. Copies the line. Fails with -ENOMEM, or as timerfd_create(2)
 * does.
 */
int reaper_add(struct host *host, const char *line, size_t length, int64_t seconds);

/*
 * For the next daemon: repeats the lines that the former one has repeated, when their time has
 * come. It knows what their last runs have found, unless one was under way.
 */
void reapers_adopt(struct host *host);

/* Stops repeating. */
void reapers_end(struct host *host);

#endif
