/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monotonic clock, in nanoseconds.
 */
#ifndef IPCFS_CLOCK_H
#define IPCFS_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Nanoseconds in a microsecond, a millisecond and a second. */
#define CLOCK_US INT64_C(1000)
#define CLOCK_MS INT64_C(1000000)
#define CLOCK_S  INT64_C(1000000000)

/* The time now, by CLOCK_MONOTONIC. */
static inline int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * CLOCK_S + now.tv_nsec;
}

#endif
