/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IPCFS_CLOCK_H
#define IPCFS_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_US INT64_C(1000)
#define CLOCK_MS INT64_C(1000000)
#define CLOCK_S  INT64_C(1000000000)

/* Nanoseconds of the monotonic clock. */
static inline int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * CLOCK_S + now.tv_nsec;
}

#endif
