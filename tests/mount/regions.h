/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A region, natively and in the mount, and calls that must give the same result both ways. Any
 * failure other than that of such a call fails the test.
 */
#ifndef TESTS_MOUNT_REGIONS_H
#define TESTS_MOUNT_REGIONS_H

#include <sys/stat.h>

enum { OWNER = 4321, NOBODY = 65534 };

#define NEEDS "passthrough"
#define CAPS  "security.capability"
#define WAYS  2

/* A value for CAPS (linux/capability.h): version 2, effective, CAP_NET_RAW. */
#define REGION_CAPS_SIZE 20
extern const unsigned char region_caps[REGION_CAPS_SIZE];

/* The path of region x: natively for 0, in the mount for 1. */
const char *region_path(int way);
/* Makes a new region: a page of zeroes, owned by OWNER, with that mode. */
void region_make(mode_t mode);

/* A call and the way that it takes: 0 natively, 1 in the mount. */
struct region_call {
	int (*make)(const char *path);
	int way;
};

/* Makes the call as user `id`, by way 0 or 1 as above. Returns 0 or an errno. */
int region_errno(unsigned id, int (*make_call)(const char *path), int way);

#endif
