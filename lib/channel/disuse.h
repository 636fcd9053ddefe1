/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether anybody still uses an object, by the facts that the kernel gives: channel_ops::disuse.
 *
 * An object is leaked if nobody has it open, mapped, attached or waits for it, it holds no message,
 * its makers or last users have ended, and nothing has happened to it for a while. A fact that
 * can't be found out counts as use.
 */
#ifndef IPCFS_DISUSE_H
#define IPCFS_DISUSE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct disuse {
	const char *why;       /* a literal, for people; NULL: the object is in use */
	struct timespec since; /* CLOCK_REALTIME: when anything last happened to the object */
	uint64_t bytes;        /* the memory that removing it would free, as far as known */
	/* Nothing speaks for a user but that a process may have it open: /proc has to be asked. */
	bool needs_scan;
};

#endif
